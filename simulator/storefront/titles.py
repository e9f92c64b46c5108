"""The titles of the library, and of each plan what to do week by week."""

ARTICLES = {
    "shoes": ("How to tell that a shoe fits", "Waxing, brushing, resting: shoes that last"),
    "bags": ("One bag for a working day", "What a weekend really takes along"),
    "jackets": ("Three layers for any weather", "Reading a waterproof label"),
    "dresses": ("A hem for every occasion", "Washing silk and linen at home"),
    "shirts": ("Collars, explained", "Ironing a shirt in four minutes"),
    "sportswear": ("What to wear for the first five kilometres", "Fabrics that dry before you do"),
    "watches": ("Movements: quartz, automatic, solar", "How to size a strap"),
    "beauty": ("A routine of three steps", "Reading a list of ingredients"),
    "home-living": ("Light for a room without a ceiling lamp", "Textiles that warm a room"),
    "electronics": ("Headphones for trains and kitchens", "Batteries that get old slowly"),
    "toys": ("Games for a rainy afternoon", "Toys that grow with a child"),
    "sale": ("Last season, good reasons", "How our reductions come about"),
}  # fmt: skip
"""Two articles for each category."""

PLANS = {
    "shoes": ("Break in new boots in four weeks", (
        "wear them at home for half an hour a day, with the socks you will walk in.",
        "two walks of two kilometres on a path; treat the leather after the second.",
        "one walk of five kilometres with a day of rest on either side.",
        "ten kilometres with hills; lace the heel tighter on the way down.")),
    "bags": ("Carry less in four weeks", (
        "empty your bag every evening and write down what you did not use.",
        "leave out whatever stood on the list three times.",
        "give each thing that is left a pocket of its own.",
        "try a bag one size smaller for five working days.")),
    "jackets": ("Walk through the winter", (
        "three walks of twenty minutes, whatever the weather; note when you were cold.",
        "three walks of thirty minutes; add or drop one layer by your notes.",
        "two walks of forty minutes and one of an hour in rain or wind.",
        "one walk of two hours with a break outside.")),
    "dresses": ("Ten outfits from four dresses", (
        "lay out four dresses and wear each one as it is.",
        "wear each with a belt or another shoe, and take a picture.",
        "add a jacket or a shirt above or below.",
        "choose the ten best pictures and hang the clothes in that order.")),
    "shirts": ("A wardrobe of seven shirts", (
        "wear what you have and count what needs ironing.",
        "keep the three shirts you took first every time.",
        "replace what is worn at the collar or cuff.",
        "wear seven shirts in seven days without a repeat.")),
    "sportswear": ("From the sofa to five kilometres", (
        "three times: run one minute and walk two, eight times over.",
        "three times: run three minutes and walk two, five times over.",
        "three times: run eight minutes and walk two, three times over.",
        "twice: run fifteen minutes, walk one, run ten; then the five kilometres.")),
    "watches": ("Regulate an automatic watch", (
        "wear it daily and note each evening by how many seconds it is off.",
        "lay it dial up at night and note the same.",
        "lay it crown down at night and compare.",
        "keep the position that evens out the day, or bring us the notes.")),
    "beauty": ("Calm skin in four weeks", (
        "nothing but a mild cleanser and a moisturiser.",
        "add sunscreen every morning.",
        "add one serum every other evening; stop if the skin burns.",
        "the serum every evening, and keep what worked.")),
    "home-living": ("A calmer room in four weeks", (
        "take everything off two surfaces and put back half of it.",
        "replace the ceiling light by two lamps at the height of your eyes.",
        "add one textile where you sit and one where you step out of bed.",
        "hang what you like to look at where you look most.")),
    "electronics": ("Sleep better without a screen", (
        "charge the phone outside the bedroom for seven nights.",
        "dim every screen at nine and note when you fell asleep.",
        "swap the last half-hour of screen for music or a book.",
        "keep the two habits that moved your note the most.")),
    "toys": ("Half an hour of play a day", (
        "build something together from what is there.",
        "one board game with new rules that the child makes up.",
        "one afternoon outside with a kite or a ball.",
        "let the child choose and lead all week.")),
    "sale": ("Spend a season's budget well", (
        "write down what you wore out this year.",
        "set a price for each thing on the list.",
        "buy only what is on the list and under its price.",
        "bring back within thirty days what you have not used.")),
}  # fmt: skip
"""One plan for each category: its title, and what to do in each of four weeks."""
