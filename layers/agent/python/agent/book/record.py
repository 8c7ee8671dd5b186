"""What every record of the book is."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Be immutable and refuse unknown names; a change is a new record."""

    model_config = ConfigDict(frozen=True, extra="forbid")
