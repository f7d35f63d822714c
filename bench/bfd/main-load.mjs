// A main thread that has no time: it stalls for 200 ms at a time, and its garbage collector has 1.5 million objects to look through.

/** Objects that live. */
const OBJECTS = 1_500_000
/** Milliseconds without a turn of the loop. */
const STALL = 200
/** Objects made anew between two looks at the clock. */
const PORTION = 1000

const make = i => ({ key: `object ${i}`, next: { value: i } })

export class MainLoad {
  #objects
  #running = false
  #longest = 0

  /** From now on there is nothing but stalls: one of spinning, one of churn, in turn. */
  start() {
    this.#objects = Array.from({ length: OBJECTS }, (_, i) => make(i))
    this.#running = true
    setImmediate(() => this.#stall(0))
  }

  stop() {
    this.#running = false
    this.#objects = undefined
    return { longest: this.#longest }
  }

  #stall(turn) {
    if (!this.#running) return
    const started = performance.now()
    let place = Math.floor(Math.random() * OBJECTS)
    while (performance.now() - started < STALL) {
      if (turn % 2 === 0) continue
      for (let i = 0; i < PORTION; i++) {
        place = (place + 7919) % OBJECTS
        this.#objects[place] = make(place)
      }
    }
    this.#longest = Math.max(this.#longest, performance.now() - started)
    setImmediate(() => this.#stall(turn + 1))
  }
}
