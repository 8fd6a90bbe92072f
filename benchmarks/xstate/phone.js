// The phone call of ../phone.py in XState. Reads its tables as one line of JSON, then a number of walks a line; answers
// each with the CPU time of one event in seconds. First argument: `actor`, or `transition` for the pure function.
import { createInterface } from "node:readline";
import { createActor, initialTransition, setup, transition } from "xstate";

const guards = {
  "tries > 5": ({ context }) => context.tries > 5,
  "tries < 5": ({ context }) => context.tries < 5,
};
let log = [];

function machineOf({ states, moves, entry, exit }) {
  const acts = (lines) => lines.map((line) => ({ type: "log", params: { line } }));
  return setup({
    guards,
    actions: { log: (_, { line }) => log.push(line) },
  }).createMachine({
    id: "phone",
    initial: "idle",
    context: { tries: 2 },
    states: Object.fromEntries(
      states.map((state) => {
        const on = {};
        for (const [event, source, target, guard] of moves) {
          if (source !== state) continue;
          const row = { target, reenter: source === target };
          (on[event] ??= []).push(guard ? { ...row, guard } : row);
        }
        const config = { entry: acts(entry[state]), exit: acts(exit[state]), on };
        return [state, Object.keys(on).length ? config : { entry: config.entry, type: "final" }];
      }),
    ),
  });
}

// A call that has begun, as a function that walks it.
const calls = {
  actor(machine) {
    const actor = createActor(machine).start();
    return (events) => {
      for (const event of events) actor.send(event);
    };
  },
  transition(machine) {
    const [first] = initialTransition(machine);
    return (events) => {
      let snapshot = first;
      for (const event of events) {
        const [next, actions] = transition(machine, snapshot, event);
        for (const action of actions) action.exec(action.info, action.params);
        snapshot = next;
      }
    };
  },
};

const begin = calls[process.argv[2]];
let machine, events, expected;
for await (const line of createInterface({ input: process.stdin })) {
  const given = JSON.parse(line);
  if (typeof given !== "number") {
    machine = machineOf(given);
    events = given.walk.map((type) => ({ type }));
    expected = JSON.stringify(given.expected);
    continue;
  }
  const walks = Array.from({ length: given }, () => begin(machine));
  const before = process.cpuUsage();
  for (const walk of walks) {
    log = [];
    walk(events);
  }
  const { user, system } = process.cpuUsage(before);
  if (JSON.stringify(log) !== expected) throw new Error(`another log: ${JSON.stringify(log)}`);
  console.log((user + system) / 1e6 / given / events.length);
}
