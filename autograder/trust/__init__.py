"""Hidden tests in one process, the learner's code in another: only plain data passes between them.

Both processes run the same code, a `peer.Peer` at each end of a socket pair. What stands where:

- `wire`: frames and plain values: JSON and raw buffers, nothing that unpickles.
- `tensors`: tensors live on both sides; whatever changed in them is sent along with every message.
- `stand_ins`: functions, classes and objects stay where they were made; the other side holds a stand-in.
- `modules`: torch's own modules live on both sides, those of other classes run where their class was written.
- `graph`: autograd through calls that cross, in both directions and of any order.
- `peer`: requests, answers, exceptions, and requests while one waits for an answer.
- `test_side`, `learner_side`: the two processes.

What is promised and what is not: THREATS.md beside this file.
"""
