"""Link the papers that docstrings and specs cite as `Vaswani et al. 2017`."""

from __future__ import annotations

import re

_CITED = re.compile(
    r"(?P<names>(?:van den )?[A-Z][\w-]+(?: et al\.| (?:and|&) (?!H\b)[A-Z][\w-]+)?),? (?P<year>(?:19|20)\d\d)\b"
    r"(?:,(?: [\w’']+,)? (?:arXiv (?P<arxiv>\d{4}\.\d{4,5})|doi (?P<doi>10\.[\w./-]+[\w])))?"
)

# what is cited without a number beside it: an arXiv number, a doi, or an address
PAPERS = {
    "Alpaydin and Kaynak 1998": "10.24432/C50P49",
    "Arevalo et al. 2017": "1702.01992",
    "Ba et al. 2016": "1607.06450",
    "Barron 2017": "1704.07483",
    "Ben-younes et al. 2017": "1705.06676",
    "Cho et al. 2014": "1406.1078",
    "Clevert et al. 2016": "1511.07289",
    "Dai et al. 2016": "1605.06409",
    "Dai et al. 2017": "1703.06211",
    "Dauphin et al. 2017": "1612.08083",
    "Elfwing et al. 2018": "1702.03118",
    "Elman 1990": "10.1207/s15516709cog1402_1",
    "Girshick 2015": "1504.08083",
    "Graham 2015": "1412.6071",
    "He & Chua 2017": "1708.05027",
    "He et al. 2015": "1502.01852",
    "He et al. 2017": "1703.06870",
    "Hendrycks and Gimpel 2016": "1606.08415",
    "Hochreiter and Schmidhuber 1997": "10.1162/neco.1997.9.8.1735",
    "Howard et al. 2019": "1905.02244",
    "Huang et al. 2016": "1603.09382",
    "Ioffe and Szegedy 2015": "1502.03167",
    "Jacobs et al. 1991": "10.1162/neco.1991.3.1.79",
    "Jaderberg et al. 2015": "1506.02025",
    "Jaegle et al. 2021": "2103.03206",
    "Joze et al. 2020": "1911.08670",
    "Kim et al. 2017": "1610.04325",
    "Klambauer et al. 2017": "1706.02515",
    "Krizhevsky et al. 2012": "10.1145/3065386",
    "Li et al. 2018": "1711.07264",
    "Lian et al. 2018": "1803.05170",
    "Lin et al. 2014": "1312.4400",
    "Liu et al. 2018": "1806.00064",
    "Lu et al. 2019": "1908.02265",
    "Ma et al. 2018": "10.1145/3219819.3220007",
    "Misra 2020": "1908.08681",
    "Nagrani et al. 2021": "2107.00135",
    "Naumov et al. 2019": "1906.00091",
    "Perez et al. 2018": "1709.07871",
    "Peters et al. 2018": "1802.05365",
    "Qu et al. 2016": "1611.00144",
    "Radford et al. 2019": "https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
    "Rendle 2010": "10.1109/ICDM.2010.127",
    "Rogozhnikov 2022": "https://openreview.net/forum?id=oapKSVM2bcj",
    "Satt et al. 2017": "10.21437/Interspeech.2017-200",
    "Shi et al. 2016": "1609.05158",
    "Srivastava et al. 2014": "https://jmlr.org/papers/v15/srivastava14a.html",
    "Tompson et al. 2015": "1411.4280",
    "Ulyanov et al. 2016": "1607.08022",
    "Vaswani et al. 2017": "1706.03762",
    "Wang et al. 2021": "2008.13535",
    "Wu and He 2018": "1803.08494",
    "Xu et al. 2015": "1505.00853",
    "Yang et al. 2016": "10.18653/v1/N16-1174",
    "Yu et al. 2017": "1708.01471",
    "Zadeh et al. 2017": "1707.07250",
    "Zeiler et al. 2010": "10.1109/CVPR.2010.5539957",
    "Zhang and Sennrich 2019": "1910.07467",
    "Zhang et al. 2018": "1707.01083",
    "Zhu et al. 2018": "1811.11168",
}


def linked(text: str) -> str:
    """Return a text with links to the papers that it cites, with a number in the text or in `PAPERS`."""

    def link(found: re.Match[str]) -> str:
        name = f"{found['names']} {found['year']}"
        number = found["arxiv"] or found["doi"] or PAPERS.get(name, "")
        return f"[{name}]({address(number)})" if number else found[0]

    return _CITED.sub(link, text)


def cited(text: str) -> list[str]:
    """Return the papers that a text cites."""
    return [
        f"{found['names']} {found['year']}" for found in _CITED.finditer(" ".join(text.split()))
    ]


def address(number: str) -> str:
    """Return the address of an arXiv number, a doi, or of an address itself."""
    if number.startswith("http"):
        return number
    return (
        f"https://doi.org/{number}"
        if number.startswith("10.")
        else f"https://arxiv.org/abs/{number}"
    )
