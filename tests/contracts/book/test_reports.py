"""The dates on which companies report: what the owner put on record last, in order."""

from datetime import date

from tests.contracts.book.conftest import Stores

JANUARY, APRIL, JULY = date(2026, 1, 29), date(2026, 4, 30), date(2026, 7, 30)


def test_a_company_without_dates_on_record_has_none(stores: Stores) -> None:
    assert stores.reports.reports("AAPL") == ()


def test_dates_are_given_oldest_first_and_once(stores: Stores) -> None:
    stores.reports.replace_reports("AAPL", [JULY, JANUARY, JULY, APRIL])
    assert stores.reports.reports("AAPL") == (JANUARY, APRIL, JULY)
    assert stores.reports.reports("MSFT") == ()


def test_a_moved_report_takes_the_place_of_the_one_announced(stores: Stores) -> None:
    stores.reports.replace_reports("AAPL", [JANUARY, JULY])
    stores.reports.replace_reports("AAPL", [JANUARY, APRIL])
    assert stores.reports.reports("AAPL") == (JANUARY, APRIL)


def test_what_is_on_record_can_be_taken_back(stores: Stores) -> None:
    stores.reports.replace_reports("AAPL", [JANUARY])
    stores.reports.replace_reports("AAPL", [])
    assert stores.reports.reports("AAPL") == ()
