/** Cleans up after something whose process died without a word. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Kills everything that runs in network namespaces whose names begin with `$1`, deletes these, and removes the folder `$2`. */
const NAMESPACES = `
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

/** Kills every process whose working folder is `$1`, and removes the folder `$2`. */
export const WORKERS_IN_FOLDER = `
for link in /proc/[0-9]*/cwd; do
  [ "$(readlink "$link" 2>/dev/null)" = "$1" ] || continue
  pid=\${link#/proc/}
  kill -9 "\${pid%/cwd}" 2>/dev/null
done
rm -rf -- "$2"
`

/** A shell that waits for the end of its standard input, which only our process holds. */
const WAIT = `
trap '' INT TERM HUP
while read -r line; do :; done
`

/**
 * A shell that outlives this process: when the process ends, however it ends, the shell runs its script. After an orderly end there is
 * nothing left for it to do.
 */
export class Watchdog implements AsyncDisposable {
  readonly #child: ChildProcess

  /**
   * @param scope with the default script: how the names of our namespaces begin
   * @param directory removed; empty: none
   * @param script shell script that is given both; {@link WORKERS_IN_FOLDER} is another one
   */
  constructor(scope: string, directory: string, script = NAMESPACES) {
    this.#child = spawn('sh', ['-c', WAIT + script, 'typemetal-lab-watchdog', scope, directory], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // its own session: Ctrl-C in the terminal must not reach it
      detached: true,
      cwd: '/',
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
