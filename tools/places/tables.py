"""What libphonenumber's text does not say, written by hand. Everything else in the generated files comes from the text."""

# Names that the text misspells or leaves without their province. Keyed by prefix, with what must stand there today, so that
# the generator stops when upstream has corrected itself and the line can go.
CORRECTIONS = {
    "1257": ("British Colombia", "British Columbia"),
    "1867536": ("Watson Lake", "Watson Lake, YT"),
}

# Country names that the text leaves out, or that have changed since its authors took them from an old list.
COUNTRY_NAMES = {
    "AC": "Ascension Island",
    "CD": "Democratic Republic of the Congo",
    "CV": "Cabo Verde",
    "CZ": "Czechia",
    "MK": "North Macedonia",
    "RE": "Réunion",
    "SZ": "Eswatini",
    "TA": "Tristan da Cunha",
    "XK": "Kosovo",
}

# ISO 3166-2. Puerto Rico, Guam and the other territories are countries of their own to libphonenumber, and so to us.
US = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado", "CT": "Connecticut",
    "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho",
    "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine",
    "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri",
    "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico",
    "NY": "New York", "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon",
    "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas",
    "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}

CA = {
    "AB": "Alberta", "BC": "British Columbia", "MB": "Manitoba", "NB": "New Brunswick", "NL": "Newfoundland and Labrador",
    "NS": "Nova Scotia", "NT": "Northwest Territories", "NU": "Nunavut", "ON": "Ontario", "PE": "Prince Edward Island",
    "QC": "Quebec", "SK": "Saskatchewan", "YT": "Yukon",
}

# How the text names two of them.
NANP_ALIASES = {"Washington State": "WA", "Washington D.C.": "DC"}

GB = {"ENG": "England", "NIR": "Northern Ireland", "SCT": "Scotland", "WLS": "Wales"}

# Dialling codes that lie in +44 but not in the United Kingdom: Guernsey, Jersey, Isle of Man.
GB_ISLANDS = {"1481", "1534", "1624"}

# Ofcom's "mixed" areas: five-digit codes inside a four-digit one. The text knows only some of them.
GB_FIVE_DIGITS = ["13873", "15242", "15394", "15395", "15396", "16973", "16974", "16977", "17683", "17684", "17687", "19467"]

# A code on a border goes with the town that it is named after. What is in none of these lists is England.
GB_CODES = {
    "NIR": "28",
    "SCT": """
        131 141 1224 1236 1241 1250 1259 1261 1290 1292 1294 1301 1307 1309 1320 1324 1330 1333 1334 1337 1339 1340 1343 1346 1349
        1350 1355 1356 1357 1358 1360 1361 1368 1369 1381 1382 1383 1387 13873 1389 1397 1408 1431 1436 1445 1450 1456 1461 1463
        1464 1465 1466 1467 1470 1471 1475 1478 1479 1496 1499 1501 1505 1506 1520 1528 1540 1542 1546 1549 1555 1556 1557 1560
        1561 1563 1567 1569 1571 1573 1575 1576 1577 1578 1581 1583 1586 1592 1593 1595 1599 1620 1631 1641 1644 1651 1655 1659
        1667 1671 1674 1680 1681 1683 1687 1688 1698 1700 1721 1738 1750 1764 1770 1771 1776 1779 1786 1796 1806 1807 1808 1809
        1821 1828 1835 1838 1847 1848 1851 1852 1854 1855 1856 1857 1859 1862 1863 1864 1866 1870 1871 1875 1876 1877 1878 1879
        1880 1882 1887 1888 1890 1896 1899 1950 1951 1955 1957 1967 1968 1971 1972 1975 1988 1997
    """,
    "WLS": """
        29 1239 1248 1267 1269 1286 1291 1341 1348 1352 1407 1437 1443 1446 1490 1492 1495 1497 1545 1547 1550 1554 1558 1559 1570
        1591 1597 1600 1633 1639 1646 1650 1654 1656 1678 1685 1686 1690 1745 1758 1766 1792 1824 1834 1873 1874 1938 1970 1974
        1978 1982 1994
    """,
}

AU = {
    "ACT": "Australian Capital Territory", "NSW": "New South Wales", "NT": "Northern Territory", "QLD": "Queensland",
    "SA": "South Australia", "TAS": "Tasmania", "VIC": "Victoria", "WA": "Western Australia",
}

# Australia numbers by four areas that cross state borders; below them the plan goes by exchange district. The districts follow
# the borders except along the Murray and around Tweed Heads, where they stay with the state that dials that area.
AU_DISTRICTS = {
    "2": "NSW", "3": "VIC", "36": "TAS", "7": "QLD", "85": "WA", "86": "WA", "87": "SA", "879": "NT", "88": "SA", "880": "NSW",
    "889": "NT", "89": "WA",
}

# Where the place's name decides: the capital among the exchanges of New South Wales, and islands that are countries to ISO 3166-1.
AU_PLACES = {"Canberra": "ACT", "Uriarra Forest": "ACT", "UriarraForest": "ACT", "Christmas Island": None, "Cocos Island": None}

# The state that an area belongs to when only the area is known: the one with the most people.
AU_AREAS = {"2": "NSW", "3": "VIC", "7": "QLD", "8": "WA"}
