"""Installed versions against version texts: boundaries, precision, letters, dates and the hand of the inventory."""

from __future__ import annotations

import pytest

from analyzers.matching.versions.reader import Verdict, contains, parse_versions

VERDICTS = {"in": Verdict.AFFECTED, "out": Verdict.NOT_AFFECTED, "open": Verdict.UNKNOWN}

TABLE = """
# text | installed -> verdict ...       (fields are separated by two blanks or more)
<= 2.0.3            2.0.3=in  2.0.2=in  2.0.4=out  2.0=in  2.1=out  2=in  v2.0.3=in  =open
< 2.0.3             2.0.3=out  2.0.2=in  2.0.2.9=in  2.0.3.0=out  2.0=in
>= 2.0.3            2.0.3=in  2.0.4=in  2.0.2=out  2.0=open  2=open  2.0.0=out  1.9=out
> 2.0.3             2.0.3=out  2.0.4=in  2.0.3.1=in
2.0.3               2.0.3=in  2.0.4=out  2.0=open  2.0.3.1=out  V2.0.3=in
5                   5=in  5.0=in  5.1=out  6=out
5.x                 5=in  5.0=in  5.9.9=in  6.0=out  4.9=out  5.x=in
< 5.6               5.x=open  4.x=in  6.x=out  5=in  5.5.9=in  5.6=out
<= 5.x              5.x=in  5.12=in  4.2=in  6.0=out
3.2                 3.2 SP1=out  3.2=in  3.2.0=in
< 3.2 SP1           3.2=in  3.2 SP1=out  3.2 SP2=out  3.1 SP4=in  3.2.1=out  3.3=out
<= 3.2 SP1          3.2 Service Pack 1=in  3.2SP1=in  3.2 SP1 Update 1=out  3.2=in
>= 3.2 SP1          3.2=open  3.2 SP1=in  3.3=in  3.1=out
< V7.4 SP1 Upd1     7.4 SP1=in  7.4 SP1 Update 1=out  7.4=in  7.5=out
V17 Update 4        V17 Update 4=in  17 Upd4=in  V17 Update 5=out  V17=open
<= 1.03D            1.03D=in  1.03C=in  1.03E=out  1.03=in  1.04=out
<= N.00             M.04=in  N.00=in  N.01=out  3.2=open
Rev. C              C=in  Rev C=in  D=out
Rev. A through Rev. D  B=in  D=in  E=out
<= VF.17.20         VE.10.1=in  VF.17.20=in  VF.17.21=out
< 012U000050        012U000049=in  012U000050=out
R4.1                4.1=in  Rel 4.1=in  R4.2=out  Release 4.1=in
before 2024-01-15   2024-01-14=in  2024-01-15=out  15 January 2024=out  20231231=in  2.1=open
< 20240115          2024-01-14=in  15.01.2024=out
Prior to January 2024  2023-12-31=in  January 2024=out  2024-01-15=open
<= 3.4.4 Build 100  3.4.4 build 99=in  3.4.4 Build 101=out  3.4.3=in  3.4.5=out
<= 2.3              2.3 (build 45)=in  v2.3=in  SW 2.3=in  2,3=in  Ver. 2.3=in  2.3.1=out  Ver. 2.3.1=out
< 2.3               2.3 (build 45)=out  2.2 (build 45)=in  2,2=in
<= 2.3.1            Software Version: V2.3.1=in  FW 2.3.1 / HW B=in  2.3.1 (latest)=in
<= 2.3.1            2.3.1 64-bit=in  2.3.2 installed=out
All versions        =in  anything=in  1.0=in
vers:all/*          =in
1.0 | 1.2 | 1.4     1.2=in  1.3=out  1=in  =open
>= 1.0 | < 2.0      1.0=in  1.9.9=in  2.0=out  0.9=out  x=open
>=1.0|<2.0|>=3.0|<3.5  1.5=in  2.5=out  3.4=in  3.5=out
vers:semver/>=1.0|<2.0|!=1.5  1.5=out  1.4=in  2.0=out
All versions except 2.1  2.1=out  2.0=in  =open
[1.0,2.0)           1.0=in  2.0=out
2.0 through 2.4     2.0=in  2.4=in  2.5=out
V1.0 to V2.0 (excluding)  1.9=in  2.0=out
up to and including 4.5  4.5=in  4.6=out
up to (excluding) 4.5  4.4=in  4.5=out
1.0 <= version < 2.0  1.0=in  2.0=out
3.x before 3.2.1    3.0=in  3.2.0=in  3.2.1=out  2.9=out
9.0 up to 9.0.5, 10.0 up to 10.0.2  9.0.5=in  9.1=out  10.0.2=in  10.0.3=out
Versions 1.2.3 and prior  1.2.3=in  1.2.4=out  1.0=in
V3.5 and all prior versions  3.5=in  3.6=out
2.0+                2.0=in  3.1=in  1.9=out
< V3.X.17           3.2.16=in  3.3.17=out  2.9=in  4.0=out
<= 7.2x             7.1=in  7.2=in  7.25=in  8.0=out  7.5=open
< 4.8 | SP5         4.8=in  4.8 SP4=in  4.8 SP5=out
SW: 3.2, HW: all    3.2=in  3.3=out
Firmware 1.5 and prior, hardware version 2  1.5=open  1.6=out
HEN32204            HEN32204=in  1.0=open  =open
v8.x model 35700BAX2  8.1=open  9.0=out
<= serial number 2310  1.0=open
<=11.2 on Windows 8.1  11.2=open  11.3=out
see the manual      1.0=open  =open
"""


def cases() -> list[tuple[str, str, Verdict]]:
    """Rows of the table, one for each installed version."""
    found = []
    for line in TABLE.strip().splitlines():
        if line.startswith("#"):
            continue
        text, *pairs = [field for field in line.split("  ") if field.strip()]
        for pair in pairs:
            installed, _, verdict = pair.strip().rpartition("=")
            found.append((text, installed, VERDICTS[verdict]))
    return found


@pytest.mark.parametrize(("text", "installed", "verdict"), cases())
def test_verdict(text: str, installed: str, verdict: Verdict) -> None:
    assert contains(parse_versions(text), installed) is verdict


def test_the_table_has_what_it_should() -> None:
    assert len(cases()) >= 150
