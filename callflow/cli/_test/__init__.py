"""The parts of `callflow test`: what is found is played, here or in several processes, and every reporter is told of it."""
