/** Cleans up after a lab whose process died without a word. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/**
 * A shell that waits for the end of its standard input, which only the lab's process holds: when that process ends, however it ends,
 * everything that runs in its namespaces is killed, the namespaces are deleted and its folder is removed.
 * After an orderly end there is nothing left and it does nothing.
 */
const SCRIPT = `
trap '' INT TERM HUP
while read -r line; do :; done
for pass in 1 2 3; do
  for path in /var/run/netns/"$1"*; do
    [ -e "$path" ] || continue
    name=\${path##*/}
    pids=$(ip netns pids "$name" 2>/dev/null)
    [ -n "$pids" ] && kill -9 $pids 2>/dev/null
    ip netns delete "$name" 2>/dev/null
  done
done
rm -rf -- "$2"
`

/** The running watchdog of one lab. */
export class Watchdog implements AsyncDisposable {
  readonly #child: ChildProcess

  /**
   * @param prefix of the names of the lab's namespaces
   * @param directory the lab's folder
   */
  constructor(prefix: string, directory: string) {
    this.#child = spawn('sh', ['-c', SCRIPT, 'typemetal-lab-watchdog', prefix, directory], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // its own session: Ctrl-C in the terminal must not reach it
      detached: true,
    })
    this.#child.unref()
    const pipe = this.#child.stdin as unknown as { unref?(): void } | null
    pipe?.unref?.()
  }

  /** Process id of the shell. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Lets it clean up what is left and waits for that. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.pid === undefined) return
    this.#child.ref()
    const closed = once(this.#child, 'close')
    this.#child.stdin?.end()
    await closed
  }
}
