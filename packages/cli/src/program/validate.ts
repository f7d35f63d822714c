import type { Command } from 'commander'
import { validate } from '../command/validate.js'
import { readCluster } from '../source/cluster.js'
import type { Terminal } from '../terminal.js'
import { examples, type OutputOptions, paintOf, say, withNamespace, withOutput } from './options.js'

interface Options extends OutputOptions {
  readonly namespace: string
  readonly strict: boolean
  readonly lbClass: string
}

/** `typemetal validate`. */
export function addValidate(program: Command, terminal: Terminal): void {
  withOutput(withNamespace(program.command('validate')))
    .summary('say everything that is wrong with a configuration')
    .description(
      'Says everything that is wrong with the manifests, with object, field, file and line, and what is probably not meant. Reads files only; exit code 1 if anything is wrong.',
    )
    .argument('<source...>', 'folders or files of manifests; - for standard input')
    .option('--strict', 'warnings count as errors', false)
    .option('--lb-class <class>', 'as controller and speakers have it', '')
    .addHelpText(
      'after',
      examples(
        'typemetal validate deploy/cluster',
        'typemetal validate --strict pools.yaml peers.yaml',
        'kustomize build . | typemetal validate -',
      ),
    )
    .action(async (sources: string[], { namespace, strict, lbClass, output }: Options) => {
      const cluster = await readCluster(sources, namespace, terminal.readInput)
      say(terminal, validate(cluster, { namespace, strict, lbClass, paint: paintOf(terminal) }, output))
    })
}
