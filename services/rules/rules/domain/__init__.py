"""The pure heart of assignment: facts and a state in, a decision and the next state out; everything replayable."""
