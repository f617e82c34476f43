"""Words of generated documents: firms, people, places, goods."""

from random import Random

FIRMS = (
    "Nordwind",
    "Alder",
    "Brightwater",
    "Castellan",
    "Delmare",
    "Eastgate",
    "Ferrum",
    "Granite",
    "Halcyon",
    "Ironbridge",
    "Juniper",
    "Kestrel",
    "Lumen",
    "Meridian",
    "Northstar",
    "Orchard",
    "Pallas",
    "Quartz",
    "Riverside",
    "Silverline",
    "Tamarind",
    "Umbra",
    "Vantage",
    "Westfield",
    "Yarrow",
    "Zenith",
    "Baltica",
    "Cobalt",
)
TRADES = (
    "Tools",
    "Foods",
    "Logistics",
    "Textiles",
    "Chemicals",
    "Trading",
    "Machinery",
    "Paper",
    "Office Supplies",
    "Electronics",
)
FORMS = {
    "en": ("Ltd", "Inc.", "LLC", "plc"),
    "de": ("GmbH", "AG", "GmbH & Co. KG"),
    "fr": ("SARL", "SA"),
    "nl": ("B.V.",),
    "pl": ("Sp. z o.o.",),
    "es": ("S.L.", "S.A."),
}
STREETS = (
    "High Street",
    "Mill Lane",
    "Harbour Road",
    "Station Road",
    "Park Avenue",
    "Industrial Way",
    "Lindenweg",
    "Rue Neuve",
    "Calle Mayor",
    "Kerkstraat",
)
CITIES = (
    ("London", "GB"),
    ("Leeds", "GB"),
    ("Hamburg", "DE"),
    ("Köln", "DE"),
    ("Lyon", "FR"),
    ("Nantes", "FR"),
    ("Utrecht", "NL"),
    ("Gdynia", "PL"),
    ("Valencia", "ES"),
    ("Antwerp", "BE"),
    ("New York", "US"),
    ("Houston", "US"),
    ("Singapore", "SG"),
    ("Osaka", "JP"),
    ("Santos", "BR"),
)
COUNTRIES = {
    "GB": "United Kingdom",
    "DE": "Germany",
    "FR": "France",
    "NL": "Netherlands",
    "PL": "Poland",
    "ES": "Spain",
    "BE": "Belgium",
    "US": "United States",
    "SG": "Singapore",
    "JP": "Japan",
    "BR": "Brazil",
}
AIRPORTS = ("FRA", "LHR", "CDG", "AMS", "JFK", "SIN", "HKG", "DXB", "ORD", "MAD", "WAW", "NRT", "GRU", "LEJ", "LUX")
VESSELS = (
    "MSC Aurora",
    "Ever Gentle",
    "Maersk Tukang",
    "CMA CGM Onyx",
    "Hamburg Express",
    "ONE Harmony",
    "Cosco Pride",
)
THINGS = (
    "Hammer",
    "Bolt M8",
    "Steel pipe",
    "Copy paper",
    "Olive oil",
    "Office chair",
    "Toner",
    "Cable 5m",
    "Pump",
    "Bearing 6204",
    "Valve",
    "Gloves",
    "Pallet",
    "Filter",
    "Hose",
    "Battery AA",
    "Lamp",
    "Drill bit",
)
KINDS = ("black", "large", "heavy duty", "type B", "galvanised", "organic", "2 pack", "XL", "spare", "series 400", "")


def pick(rng: Random, choices: str) -> str:
    """One of the alternatives that a bar separates."""
    return rng.choice(choices.split("|"))


def firm(rng: Random, language: str = "en") -> str:
    """The name of a firm."""
    name = rng.choice(FIRMS)
    if rng.random() < 0.3:
        name += f" & {rng.choice(FIRMS)}"
    return f"{name} {rng.choice(TRADES)} {rng.choice(FORMS[language])}"


def address(rng: Random) -> list[str]:
    """Two to four lines below a name."""
    city, country = rng.choice(CITIES)
    lines = [f"{rng.randint(1, 240)} {rng.choice(STREETS)}", f"{rng.randint(10000, 99999)} {city}", COUNTRIES[country]]
    if rng.random() < 0.3:
        lines.insert(1, f"Unit {rng.randint(1, 40)}")
    return lines if rng.random() < 0.8 else lines[:-1]


def thing(rng: Random) -> str:
    """An article of trade."""
    return f"{rng.choice(THINGS)} {rng.choice(KINDS)}".strip()
