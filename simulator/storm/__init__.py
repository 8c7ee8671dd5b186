"""The storm: days of trading under one virtual scheduler, with faults between every two effects."""
