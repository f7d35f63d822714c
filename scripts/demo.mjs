// `npm run demo [-- OPTION…]`: checks what the machine has, installs and builds what is missing, runs the demo.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fail, prepare, requireNode, root } from './prepare.mjs'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** True when a command can be started and ends well. */
const works = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0

requireNode()
if (process.platform !== 'linux') fail('the demo needs Linux: its hosts are network namespaces')
if (!works('ip', ['-V'])) fail('the ip command is missing: install the package iproute2')
if (
  process.geteuid() !== 0 &&
  !works('unshare', ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', 'true'])
) {
  fail('network namespaces need root, or user namespaces, which this machine does not allow: run it as root')
}
prepare()

// The IPC channel tells the demo when we are gone, however that happens.
const demo = spawn(process.execPath, [join(root, 'lab', 'dist', 'demo', 'main.js'), ...process.argv.slice(2)], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
})
for (const signal of SIGNALS) process.on(signal, () => demo.connected && demo.send({ signal }))
demo.on('error', error => fail(error.message))
demo.on('exit', (code, signal) => (process.exitCode = code ?? (signal ? 1 : 0)))
