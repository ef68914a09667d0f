"""The sha256 of ``site.py`` by release, and who ships it so. Made by ``tests/tools/make_site_digests.py``."""

TABLE = """
3af5428c9e6dd52c374d0c7dbb5b4c5e65c03724341d7aeb591f499d84800456 python.org 3.8.0 3.8.1 3.8.2 3.8.3;
e12ca1a698513310797addaf0a31a094d501a04c65c022a9e6699d3666481756 python.org 3.8.4 3.8.5 3.8.6 3.8.7 3.8.8 3.8.9
3.8.10 3.8.11 3.8.12 3.8.13 3.8.14 3.8.15 3.8.16 3.8.17 3.8.18;
8570e7076fb5b56a987d6e2e6808b678528bfeb80cd61f5f360a27962d0fb6e7 python.org 3.8.19 3.8.20;
d3ca6d3bd1fc0c2c2d87110b73418f2355412eec925b2fb894da26540a8b03d3 python.org 3.9.0 3.9.1 3.9.2 3.9.3 3.9.4 3.9.5
3.9.6 3.9.7 3.9.9 3.9.10 3.9.11 3.9.12 3.9.13 3.9.14 3.9.15 3.9.16 3.9.17 3.9.18;
0e29bb8f3c6a860e45eccdf7bf5615c6fe0e9f458981396034dc71460c962fbf python.org 3.9.19 3.9.20;
a92fc1de9082615bf4f3987e0be7b2bdaafe67aa6be4f59859a114485b7a0d09 python.org 3.10.0 3.10.1 3.10.2 3.10.3 3.10.4
3.10.5 3.10.6 3.10.7 3.10.8 3.10.9 3.10.10 3.10.11 3.10.12 3.10.13;
46b88ba081e7a1b606cfe603c78e60b8f2bf30c7ba098bcbd51a3076990c97ea python.org 3.10.14 3.10.15;
6803396ba0719e4d1d6ce9351f09f0bca11ab8e9c4efe0f935f598da8e8b903e python.org 3.11.0 3.11.1 3.11.2 3.11.3 3.11.4
3.11.5 3.11.6 3.11.7;
2779ae9ccd216f70e554fe47dbd1089ff53c7188093baeddcaba0f7c2127ba08 Debian 3.11.2;
0577e4b379d8ef4aa0ecf88a264ef18c10f72ea72119afae36524d1aae77c9bf python.org 3.11.8 3.11.9 3.11.10;
25908e2b3986851f8dcc05644c1af831493796bbbd30ff742d18f9f98df727c6 python.org 3.12.0 3.12.1;
72296c68b28b4af912b6cf361d529562210679468e0e3ed04bec8e40a273bb62 python.org 3.12.2 3.12.3;
339ac973242445370553c76398d9c83c0cbda4a3a7602f427059bc6741a35973 python.org 3.12.4 3.12.5 3.12.6;
c3ef245f2ac524cfbc05c07ee5907b6138cbc4e5d31c8b2d2c49193929f810f0 python.org 3.13.0;
1559863722281490c4da87d7e18f7f859dcdfff3357de97588879a1242e7c08f python.org 3.13.5;
ea80b1f9fd676ec6d0c3ce8219d1ecfd103992e93e927c5d0a95a18443059f66 python.org 3.13.15;
0e49130223e9bac79ea5ab656d103f99af76a98f0cf307076c0b8a241198eea9 Debian 3.13.18;
b2c3a0d585c776f9b560c0fe0ed74f0f8e2fc29ad5c9af31a62579d59f5d89a3 Debian 3.14.10;
6f78eff75553514b7f31efb0faaf8c1a73fa93ff9b4cc2270346c38ef9cc95f4 Debian 3.15.2;
"""
"""``DIGEST BUILDER RELEASE…;`` for each."""


def digests_of(release: str) -> dict[str, str]:
    """Digest to builder, for one release; empty for one that nobody here knows."""
    rows = (row.split() for row in TABLE.split(";"))
    return {digest: builder for digest, builder, *releases in filter(None, rows) if release in releases}
