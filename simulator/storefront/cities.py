"""Where the shop has its stores: the centres of 42 cities, in degrees north and east (WGS 84)."""

from typing import NamedTuple


class City(NamedTuple):
    """A city with its ISO 3166 country and its centre in degrees."""

    name: str
    country: str
    lat: float
    lon: float


CITIES = (
    City("London", "GB", 51.5074, -0.1278),
    City("Manchester", "GB", 53.4808, -2.2426),
    City("Edinburgh", "GB", 55.9533, -3.1883),
    City("Dublin", "IE", 53.3498, -6.2603),
    City("Paris", "FR", 48.8566, 2.3522),
    City("Lyon", "FR", 45.7640, 4.8357),
    City("Berlin", "DE", 52.5200, 13.4050),
    City("Munich", "DE", 48.1351, 11.5820),
    City("Hamburg", "DE", 53.5511, 9.9937),
    City("Amsterdam", "NL", 52.3676, 4.9041),
    City("Brussels", "BE", 50.8503, 4.3517),
    City("Madrid", "ES", 40.4168, -3.7038),
    City("Barcelona", "ES", 41.3851, 2.1734),
    City("Lisbon", "PT", 38.7223, -9.1393),
    City("Rome", "IT", 41.9028, 12.4964),
    City("Milan", "IT", 45.4642, 9.1900),
    City("Vienna", "AT", 48.2082, 16.3738),
    City("Zurich", "CH", 47.3769, 8.5417),
    City("Copenhagen", "DK", 55.6761, 12.5683),
    City("Stockholm", "SE", 59.3293, 18.0686),
    City("Oslo", "NO", 59.9139, 10.7522),
    City("Warsaw", "PL", 52.2297, 21.0122),
    City("Istanbul", "TR", 41.0082, 28.9784),
    City("Dubai", "AE", 25.2048, 55.2708),
    City("Mumbai", "IN", 19.0760, 72.8777),
    City("Delhi", "IN", 28.6139, 77.2090),
    City("Singapore", "SG", 1.3521, 103.8198),
    City("Hong Kong", "HK", 22.3193, 114.1694),
    City("Tokyo", "JP", 35.6762, 139.6503),
    City("Seoul", "KR", 37.5665, 126.9780),
    City("Sydney", "AU", -33.8688, 151.2093),
    City("Melbourne", "AU", -37.8136, 144.9631),
    City("New York", "US", 40.7128, -74.0060),
    City("Los Angeles", "US", 34.0522, -118.2437),
    City("Chicago", "US", 41.8781, -87.6298),
    City("San Francisco", "US", 37.7749, -122.4194),
    City("Toronto", "CA", 43.6532, -79.3832),
    City("Mexico City", "MX", 19.4326, -99.1332),
    City("São Paulo", "BR", -23.5505, -46.6333),
    City("Lagos", "NG", 6.5244, 3.3792),
    City("Nairobi", "KE", -1.2921, 36.8219),
    City("Johannesburg", "ZA", -26.2041, 28.0473),
)
