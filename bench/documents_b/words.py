"""Words of the second generator: labels in five languages, firms, streets, goods."""

LANGUAGES = ("en", "de", "fr", "es", "nl")

LABELS: dict[str, dict[str, tuple[str, ...]]] = {
    "title": {
        "en": ("INVOICE", "Tax Invoice", "Commercial Invoice"),
        "de": ("RECHNUNG", "Rechnung"),
        "fr": ("FACTURE", "Facture"),
        "es": ("FACTURA", "Factura"),
        "nl": ("FACTUUR", "Factuur"),
    },
    "number": {
        "en": ("Invoice No.", "Invoice number", "Invoice #", "Document no."),
        "de": ("Rechnungsnummer", "Rechnung Nr.", "Rg.-Nr.", "Beleg-Nr."),
        "fr": ("N° de facture", "Facture n°", "Numéro"),
        "es": ("N.º de factura", "Factura núm.", "Número de factura"),
        "nl": ("Factuurnummer", "Factuurnr.", "Nummer"),
    },
    "date": {
        "en": ("Invoice date", "Date", "Issue date", "Tax point"),
        "de": ("Rechnungsdatum", "Datum", "Belegdatum"),
        "fr": ("Date de facture", "Date", "Date d'émission"),
        "es": ("Fecha de factura", "Fecha", "Fecha de emisión"),
        "nl": ("Factuurdatum", "Datum"),
    },
    "due": {
        "en": ("Due date", "Payment due", "Pay by"),
        "de": ("Fällig am", "Zahlbar bis", "Fälligkeit"),
        "fr": ("Échéance", "Date d'échéance", "À régler avant le"),
        "es": ("Vencimiento", "Fecha de vencimiento"),
        "nl": ("Vervaldatum", "Te betalen voor"),
    },
    "customer_no": {
        "en": ("Customer no.", "Account", "Client ID"),
        "de": ("Kundennummer", "Kd.-Nr."),
        "fr": ("N° client", "Code client"),
        "es": ("N.º de cliente", "Código cliente"),
        "nl": ("Klantnummer", "Debiteurnr."),
    },
    "po": {
        "en": ("PO number", "Your order", "Purchase order"),
        "de": ("Bestellnummer", "Ihre Bestellung"),
        "fr": ("Bon de commande", "Votre réf."),
        "es": ("N.º de pedido", "Su pedido"),
        "nl": ("Bestelnummer", "Uw order"),
    },
    "delivery_note": {
        "en": ("Delivery note", "Packing slip"),
        "de": ("Lieferschein", "Lieferschein-Nr."),
        "fr": ("Bon de livraison", "BL n°"),
        "es": ("Albarán", "N.º de albarán"),
        "nl": ("Pakbon", "Leverbon"),
    },
    "vat_id": {
        "en": ("VAT Reg No", "VAT ID"),
        "de": ("USt-IdNr.", "USt-ID"),
        "fr": ("N° TVA", "TVA intracom."),
        "es": ("NIF-IVA", "CIF"),
        "nl": ("BTW-nr.", "BTW-id"),
    },
    "net": {
        "en": ("Net total", "Subtotal", "Total excl. VAT"),
        "de": ("Nettobetrag", "Summe netto", "Zwischensumme"),
        "fr": ("Total HT", "Montant HT"),
        "es": ("Base imponible", "Total neto"),
        "nl": ("Totaal excl. btw", "Nettobedrag"),
    },
    "discount": {
        "en": ("Discount", "Less discount"),
        "de": ("Rabatt", "Nachlass"),
        "fr": ("Remise",),
        "es": ("Descuento",),
        "nl": ("Korting",),
    },
    "shipping": {
        "en": ("Shipping", "Carriage"),
        "de": ("Versandkosten", "Fracht"),
        "fr": ("Frais de port", "Transport"),
        "es": ("Portes", "Gastos de envío"),
        "nl": ("Verzendkosten", "Vracht"),
    },
    "vat": {"en": ("VAT", "Sales tax"), "de": ("USt.", "MwSt."), "fr": ("TVA",), "es": ("IVA",), "nl": ("BTW",)},
    "gross": {
        "en": ("Total due", "Amount due", "Grand total"),
        "de": ("Gesamtbetrag", "Rechnungsbetrag", "Endbetrag"),
        "fr": ("Total TTC", "Net à payer"),
        "es": ("Total factura", "Importe total"),
        "nl": ("Totaal te betalen", "Totaal incl. btw"),
    },
    "bill_to": {
        "en": ("Bill to", "Sold to", "Invoice to"),
        "de": ("Rechnungsempfänger", "Kunde"),
        "fr": ("Facturé à", "Client"),
        "es": ("Facturar a", "Cliente"),
        "nl": ("Factuuradres", "Klant"),
    },
    "currency": {"en": ("Currency",), "de": ("Währung",), "fr": ("Devise",), "es": ("Moneda",), "nl": ("Valuta",)},
    "page": {"en": ("Page",), "de": ("Seite",), "fr": ("Page",), "es": ("Página",), "nl": ("Pagina",)},
    "carried": {
        "en": ("Carried forward",),
        "de": ("Übertrag",),
        "fr": ("À reporter",),
        "es": ("Suma y sigue",),
        "nl": ("Transport",),
    },
    "group": {
        "en": ("Section total",),
        "de": ("Summe Gruppe",),
        "fr": ("Sous-total",),
        "es": ("Subtotal grupo",),
        "nl": ("Subtotaal",),
    },
}

COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "pos": {"en": ("Pos", "#"), "de": ("Pos.",), "fr": ("Pos.", "Lg"), "es": ("Lín.",), "nl": ("Rgl",)},
    "sku": {
        "en": ("Item", "Code"),
        "de": ("Art.-Nr.", "Artikel"),
        "fr": ("Réf.", "Code"),
        "es": ("Ref.", "Código"),
        "nl": ("Art.nr", "Code"),
    },
    "description": {
        "en": ("Description", "Details"),
        "de": ("Bezeichnung", "Beschreibung"),
        "fr": ("Désignation", "Description"),
        "es": ("Descripción", "Concepto"),
        "nl": ("Omschrijving",),
    },
    "quantity": {"en": ("Qty", "Quantity"), "de": ("Menge",), "fr": ("Qté",), "es": ("Cant.",), "nl": ("Aantal",)},
    "unit": {"en": ("Unit",), "de": ("Einh.",), "fr": ("Unité",), "es": ("Ud.",), "nl": ("Eenh.",)},
    "price": {
        "en": ("Unit price", "Price"),
        "de": ("E-Preis", "Einzelpreis"),
        "fr": ("P.U. HT", "Prix unit."),
        "es": ("Precio",),
        "nl": ("Prijs",),
    },
    "rebate": {"en": ("Disc %",), "de": ("Rabatt %",), "fr": ("Rem. %",), "es": ("Dto. %",), "nl": ("Krt. %",)},
    "rate": {"en": ("VAT %",), "de": ("USt. %",), "fr": ("TVA %",), "es": ("IVA %",), "nl": ("BTW %",)},
    "total": {
        "en": ("Amount", "Line total"),
        "de": ("Gesamt", "Betrag"),
        "fr": ("Montant HT", "Total"),
        "es": ("Importe",),
        "nl": ("Bedrag",),
    },
}

FIRMS: dict[str, tuple[str, ...]] = {
    "en": ("Harrow & Finch", "Northgate Tools", "Bluebell Foods", "Castle Paper", "Ridgeway Parts", "Thorne Medical"),
    "de": ("Brückner Technik", "Hofmann Stahl", "Lindenau Bürobedarf", "Kessler Elektro", "Nordlicht Lebensmittel"),
    "fr": ("Papeterie Morel", "Ateliers Vasseur", "Boulard Frères", "Transports Caillou", "Lumière du Sud"),
    "es": ("Aceros del Ebro", "Talleres Ibarra", "Frutas Montalbán", "Papelería Olmo", "Suministros Vega"),
    "nl": ("Van Dam Verpakking", "De Wit Techniek", "Bakker Bloemen", "Kuiper Machines", "Zuiderzee Vis"),
}
FORMS = {
    "en": ("Ltd", "LLC", "plc"),
    "de": ("GmbH", "AG", "KG"),
    "fr": ("SARL", "SAS"),
    "es": ("S.L.", "S.A."),
    "nl": ("B.V.", "N.V."),
}
STREETS = {
    "en": ("Mill Lane", "Station Road", "Kingsway", "Harbour Street"),
    "de": ("Lindenstraße", "Am Bahnhof", "Industrieweg", "Goethestr."),
    "fr": ("rue de la Paix", "avenue Jean Jaurès", "bd Voltaire"),
    "es": ("Calle Mayor", "Avda. de la Constitución", "Pol. Ind. Sur"),
    "nl": ("Dorpsstraat", "Havenweg", "Prinsengracht"),
}
CITIES = {
    "en": ("Leeds", "Bristol", "Norwich", "Glasgow", "Dover"),
    "de": ("Hamburg", "Köln", "Bad Homburg", "Leipzig"),
    "fr": ("Lyon", "Nantes", "Aix-en-Provence", "Lille"),
    "es": ("Zaragoza", "Sevilla", "Bilbao", "Las Palmas"),
    "nl": ("Rotterdam", "Den Haag", "Utrecht", "Breda"),
}
LANDS = {"en": "United Kingdom", "de": "Deutschland", "fr": "France", "es": "España", "nl": "Nederland"}
CODES = {"en": "GB", "de": "DE", "fr": "FR", "es": "ES", "nl": "NL"}

ADJECTIVES = {
    "en": ("Steel", "Blue", "Heavy-duty", "Recycled", "Large", "Flexible", "Industrial", "A4"),
    "de": ("verzinkter", "blauer", "großer", "flexibler", "Industrie-", "Spezial-", "DIN A4"),
    "fr": ("acier", "bleu", "grand", "souple", "recyclé", "industriel", "A4"),
    "es": ("acero", "azul", "grande", "flexible", "reciclado", "industrial", "A4"),
    "nl": ("stalen", "blauwe", "zware", "flexibele", "grote", "industriële", "A4"),
}
NOUNS = {
    "en": ("bolt", "hose", "paper", "pallet", "cable 3x1.5", "filter", "valve DN 20", "label roll"),
    "de": ("Schraube M8", "Schlauch", "Papier", "Palette", "Kabel 3x1,5", "Filter", "Ventil DN 20"),
    "fr": ("boulon", "tuyau", "papier", "palette", "câble 3x1,5", "filtre", "vanne DN 20"),
    "es": ("tornillo", "manguera", "papel", "palé", "cable 3x1,5", "filtro", "válvula DN 20"),
    "nl": ("bout", "slang", "papier", "pallet", "kabel 3x1,5", "filter", "klep DN 20"),
}
TAILS = {
    "en": ("incl. fixing set", "batch {n}", "delivered {n} days late", "as per quote {n}", "RAL 7035, 2 m"),
    "de": ("inkl. Befestigung", "Charge {n}", "gemäß Angebot {n}", "RAL 7035, 2 m"),
    "fr": ("avec fixation", "lot {n}", "selon devis {n}", "RAL 7035, 2 m"),
    "es": ("con fijación", "lote {n}", "según oferta {n}", "RAL 7035, 2 m"),
    "nl": ("incl. bevestiging", "partij {n}", "volgens offerte {n}", "RAL 7035, 2 m"),
}
UNITS = {
    "en": ("pcs", "m", "box"),
    "de": ("Stk", "m", "Kt"),
    "fr": ("pce", "m", "bte"),
    "es": ("ud", "m", "caja"),
    "nl": ("st", "m", "ds"),
}
TERMS = {
    "en": ("Payment within {n} days net.", "Terms: {n} days"),
    "de": ("Zahlbar innerhalb von {n} Tagen ohne Abzug.", "Zahlungsziel: {n} Tage"),
    "fr": ("Paiement à {n} jours.", "Règlement sous {n} jours net"),
    "es": ("Pago a {n} días.", "Forma de pago: {n} días fecha factura"),
    "nl": ("Betaling binnen {n} dagen.", "Betalingstermijn: {n} dagen"),
}
THANKS = {
    "en": "Thank you for your business.",
    "de": "Vielen Dank für Ihren Auftrag.",
    "fr": "Merci de votre confiance.",
    "es": "Gracias por su confianza.",
    "nl": "Dank voor uw bestelling.",
}
REVERSE = {
    "en": "Reverse charge: VAT to be accounted for by the recipient.",
    "de": "Steuerschuldnerschaft des Leistungsempfängers.",
    "fr": "Autoliquidation de la TVA.",
    "es": "Inversión del sujeto pasivo.",
    "nl": "BTW verlegd.",
}
PEOPLE = ("Anna Vogel", "J. Peeters", "Marie Dubois", "Luis Ortega", "Tom Wright", "S. Kaya", "Ines Costa")

FREIGHT: dict[str, tuple[str, ...]] = {
    "bl_number": ("B/L No.", "Bill of Lading No.", "BL NUMBER", "Document No"),
    "booking": ("Booking No.", "Booking ref", "BKG NO"),
    "shipper": ("Shipper", "Shipper/Exporter", "SHIPPER (complete name and address)"),
    "consignee": ("Consignee", "CONSIGNEE", "Consigned to"),
    "notify": ("Notify Party", "Notify address", "NOTIFY PARTY"),
    "vessel": ("Vessel", "Ocean Vessel", "Vessel name"),
    "voyage": ("Voyage No.", "Voy.", "Voyage"),
    "loading": ("Port of Loading", "POL", "Load port"),
    "discharge": ("Port of Discharge", "POD", "Discharge port"),
    "delivery": ("Place of Delivery", "Final destination"),
    "terms": ("Freight", "Freight terms", "FREIGHT PAYABLE"),
    "issued": ("Date of Issue", "Issued on", "B/L date"),
    "place": ("Place of Issue", "Issued at"),
    "packages": ("Total packages", "No. of packages"),
    "weight": ("Gross weight", "Total gross weight", "G.W."),
    "volume": ("Measurement", "Total volume"),
    "goods": ("Description of goods", "Nature and quantity of goods", "Said to contain"),
    "mawb": ("MAWB", "Master AWB", "Air Waybill No."),
    "hawb": ("HAWB", "House AWB No.", "House waybill"),
    "departure": ("Airport of Departure", "Departure", "From"),
    "destination": ("Airport of Destination", "Destination", "To"),
    "flight": ("Flight", "Flight No.", "Requested flight"),
    "pieces": ("Pieces", "No. of pieces RCP", "Pcs"),
    "chargeable": ("Chargeable weight", "Chg. wt."),
    "rate": ("Rate", "Rate/Charge", "Rate per kg"),
    "total": ("Total", "Total charge", "Total prepaid"),
    "currency": ("Currency", "Curr."),
    "declared": ("Declared value for carriage", "Decl. value"),
}
PORTS = ("Hamburg", "Rotterdam", "Shanghai", "Ningbo", "Los Angeles", "Santos", "Felixstowe", "Le Havre", "Valencia")
VESSELS = ("MSC AURORA", "EVER GLADE", "MAERSK TAURUS", "CMA CGM ORFEO", "HAPAG DRESDEN", "ONE HARMONY")
GOODS = (
    "MACHINE PARTS",
    "COTTON SHIRTS",
    "FROZEN FISH",
    "CERAMIC TILES",
    "BICYCLE FRAMES",
    "MEDICAL DEVICES",
    "GREEN COFFEE BEANS",
    "LED LAMPS",
)
AIRPORTS = ("FRA", "AMS", "CDG", "MAD", "LHR", "JFK", "PVG", "HKG", "DXB", "GRU")
