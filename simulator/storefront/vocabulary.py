"""The words the catalogue is made of: for each category its nouns, its styles and its price level.

Ten styles times eleven nouns name 110 different products in every category.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf: its slug, title, SKU prefix, median base price (pence), spread of log price, and what goes with it."""

    slug: str
    title: str
    prefix: str
    median_minor: int
    sigma: float
    companion: str
    styles: tuple[str, ...]
    nouns: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


SALE = "sale"

CATEGORIES = (
    Category("shoes", "Shoes", "SHO", 6500, 0.45, "sportswear",
             _words("Canvas Suede Leather Knit Trail Court Retro Platform Everyday Weekend"),
             _words("Trainer Runner Loafer Sandal Boot Brogue Slipper Sneaker Derby Espadrille Clog")),
    Category("bags", "Bags", "BAG", 5500, 0.55, "jackets",
             _words("Canvas Leather Quilted Waxed Ripstop Woven Compact Foldable Commuter Weekend"),
             _words("Tote Backpack Satchel Clutch Holdall Crossbody Messenger Duffel Pouch Rucksack Briefcase")),
    Category("jackets", "Jackets", "JAC", 9500, 0.45, "shoes",
             _words("Quilted Waxed Wool Denim Padded Packable Hooded Cropped Longline Storm"),
             _words("Parka Bomber Blazer Raincoat Gilet Anorak Overshirt Peacoat Trench Puffer Windbreaker")),
    Category("dresses", "Dresses", "DRE", 5800, 0.45, "bags",
             _words("Linen Silk Floral Pleated Knitted Tiered Jersey Satin Cotton Velvet"),
             _words("Wrap_Dress Shirt_Dress Maxi_Dress Midi_Dress Slip_Dress Tea_Dress Sundress Pinafore Kaftan "
                    "Jumpsuit Tunic_Dress")),
    Category("shirts", "Shirts", "SHI", 3200, 0.40, "jackets",
             _words("Linen Cotton Striped Checked Slim Relaxed Brushed Organic Printed Washed"),
             _words("Oxford_Shirt Polo T-Shirt Henley Flannel_Shirt Blouse Camp_Shirt Vest_Top Sweatshirt "
                    "Rugby_Shirt Grandad_Shirt")),
    Category("sportswear", "Sportswear", "SPO", 3800, 0.45, "shoes",
             _words("Seamless Thermal Mesh Compression Reflective Featherlight Quick-Dry High-Rise Trail Studio"),
             _words("Leggings Shorts Sports_Bra Running_Top Track_Jacket Joggers Hoodie Base_Layer Cycling_Jersey "
                    "Training_Vest Socks")),
    Category("watches", "Watches", "WAT", 14500, 0.75, "electronics",
             _words("Steel Titanium Ceramic Leather Mesh Bronze Solar Automatic Slim Vintage"),
             _words("Chronograph Diver Field_Watch Dress_Watch Pilot_Watch Smart_Watch Moonphase Skeleton_Watch "
                    "Travel_Watch Pocket_Watch Sports_Watch")),
    Category("beauty", "Beauty", "BEA", 1800, 0.55, "home-living",
             _words("Rose Citrus Oat Sea_Salt Cedar Aloe Honey Green_Tea Almond Lavender"),
             _words("Serum Cleanser Moisturiser Lip_Balm Face_Mask Shampoo Hand_Cream Perfume Toner Sunscreen "
                    "Body_Oil")),
    Category("home-living", "Home & living", "HOM", 3400, 0.65, "toys",
             _words("Nordic Rustic Coastal Harbour Meadow Atelier Ember Dune Orchard Loft"),
             _words("Lamp Cushion Throw Vase Mug Rug Candle Mirror Planter Bed_Linen Serving_Bowl")),
    Category("electronics", "Electronics", "ELE", 7900, 0.80, "watches",
             _words("Wireless Compact Pro Mini Studio Travel Home Ultra Solar Classic"),
             _words("Headphones Earbuds Speaker Charger Power_Bank Keyboard Webcam Tablet E-Reader Fitness_Band "
                    "Smart_Bulb")),
    Category("toys", "Toys", "TOY", 2200, 0.50, "home-living",
             _words("Wooden Rainbow Jungle Ocean Space Farm Dinosaur Fairy Robot Circus"),
             _words("Puzzle Building_Blocks Teddy_Bear Kite Board_Game Train_Set Doll_House Marble_Run Spinning_Top "
                    "Story_Cards Paint_Set")),
    # Its products come from the other shelves, last season's and reduced; see catalogue.py.
    Category(SALE, "Sale", "SAL", 0, 0.0, "bags", (), ()),
)  # fmt: skip

BRANDS = _words("Halden Ostara Bramley Corvus Lumen Fjella Maren Tindal Solene Wexcombe Arbour Kestrel Nomi Pellier")
COLOURS = _words("Black Navy Sand Olive Rust Ivory Slate Coral Teal Plum Mustard Sky")
