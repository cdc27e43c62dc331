"""China's public holidays and the weekend days worked in exchange for them (调休)."""

from collections.abc import Iterable
from datetime import date, timedelta

# Per year: breaks as ((month, day), length in days), and make-up working days. Sources: the General Office
# of the State Council, 国务院办公厅关于…年部分节假日安排的通知, of 25 October 2023, 12 November 2024 and
# 4 November 2025.
_CHINA: dict[int, tuple[tuple[tuple[tuple[int, int], int], ...], tuple[tuple[int, int], ...]]] = {
    2024: (
        (((1, 1), 1), ((2, 10), 8), ((4, 4), 3), ((5, 1), 5), ((6, 10), 1), ((9, 15), 3), ((10, 1), 7)),
        ((2, 4), (2, 18), (4, 7), (4, 28), (5, 11), (9, 14), (9, 29), (10, 12)),
    ),
    2025: (
        (((1, 1), 1), ((1, 28), 8), ((4, 4), 3), ((5, 1), 5), ((5, 31), 3), ((10, 1), 8)),
        ((1, 26), (2, 8), (4, 27), (9, 28), (10, 11)),
    ),
    2026: (
        (((1, 1), 3), ((2, 15), 9), ((4, 4), 3), ((5, 1), 5), ((6, 19), 3), ((9, 25), 3), ((10, 1), 7)),
        ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)),
    ),
}


def china_days(years: Iterable[int]) -> tuple[frozenset[date], frozenset[date]]:
    """China's days off and make-up working days (调休上班日) of these years.

    2024 to 2026 come from the table above: the State Council's notices, each break whole, weekends included.
    Other years come from the `holidays` library: 2001 to 2023 as announced; for years whose notice it does
    not hold, 2027 among them, the statutory days alone and no make-up days: review them after the notice.
    Raises ValueError for a year before 2001 or after 2100.
    """
    off: set[date] = set()
    work: set[date] = set()
    for year in sorted(set(years)):
        if not 2001 <= year <= 2100:
            raise ValueError(f"no public holidays known for the year {year}")
        if year in _CHINA:
            breaks, made_up = _CHINA[year]
            for first, days in breaks:
                off.update(date(year, *first) + timedelta(days=more) for more in range(days))
            work.update(date(year, *day) for day in made_up)
        else:
            holidays, worked = _from_library(year)
            off.update(holidays)
            work.update(worked)
    return frozenset(off), frozenset(work)


def _from_library(year: int) -> tuple[set[date], set[date]]:
    # Imported here: the library costs 29 MB, which a process without such a year should not pay.
    from holidays import country_holidays

    # The neighbours as well: a break around New Year moves days of the year before.
    known = country_holidays("CN", years=[year - 1, year, year + 1])
    off = {day for day in known if day.year == year}
    return off, {day for day in known.weekend_workdays if day.year == year and day.weekday() >= 5}
