"""Small changes of the code, one at a time, under the tests of its part: what no test notices is not tested."""
