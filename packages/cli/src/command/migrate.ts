/** `typemetal migrate`: from MetalLB and others to Typemetal. */
import { formatConfigError } from '@typemetal/cluster'
import { type Answer, ExitCode } from '../exit-code.js'
import { checkInstall, type Finding, type Migration } from '../migrate/check.js'
import { convert, type Converted, printResources } from '../migrate/convert.js'
import type { Install } from '../migrate/install.js'
import type { RawObject } from '../migrate/objects.js'
import { type Format, type Paint, plain, render, type Tone } from '../output.js'
import type { Cluster } from '../source/cluster.js'

/** The findings, and the steps from node to node; code 1 when something must be dealt with first. */
export function migrateCheck(
  install: Install,
  cluster: Cluster,
  { namespace, paint = plain }: { readonly namespace: string; readonly paint?: Paint },
  format: Format,
): Answer {
  const found = checkInstall(install, cluster, namespace)
  const blocked = found.findings.some(({ verdict }) => verdict === 'blocker')
  return {
    text: render(format, found, () => forPeople(found, paint)),
    code: blocked ? ExitCode.refused : ExitCode.ok,
    ...(cluster.notes && { notes: cluster.notes }),
  }
}

const MARKS: Readonly<Record<Finding['verdict'], readonly [mark: string, tone: Tone]>> = {
  good: ['✓', 'good'],
  change: ['·', 'warn'],
  blocker: ['✗', 'bad'],
}

function forPeople({ findings, steps }: Migration, paint: Paint): string {
  const found = findings.map(({ verdict, subject, text }) => {
    const [mark, tone] = MARKS[verdict]
    return `  ${paint(tone, mark)} ${subject}: ${text}`
  })
  const blockers = findings.filter(({ verdict }) => verdict === 'blocker').length
  const verdict = blockers === 0 ? 'nothing stands in the way' : `${blockers} to be dealt with first`
  const numbered = steps.map((step, i) => `${String(i + 1).padStart(2)}. ${step}`)
  return [paint('strong', `findings: ${verdict}`), ...found, '', paint('strong', 'steps'), ...numbered]
    .map(line => `${line}\n`)
    .join('')
}

/** Resources on standard output, what has no equal on the other stream; code 1 when nothing was found or the result would not be taken. */
export function migrateConvert(objects: readonly RawObject[], namespace: string, format: Format): Answer {
  const found = convert(objects, namespace)
  const sound = found.errors.length === 0 && found.resources.length > 0
  return {
    text: format === 'json' ? render(format, found, () => '') : printResources(found.resources),
    code: sound ? ExitCode.ok : ExitCode.refused,
    notes: notesOf(found),
  }
}

function notesOf({ resources, notes, errors, seen }: Converted): readonly string[] {
  const kinds = Object.entries(seen).map(([kind, count]) => `${count} ${kind}`)
  const nothing =
    'nothing to convert was found: give a ConfigMap of MetalLB before 0.13 or of kube-vip, Cilium pools, policies and BGP resources, or ServiceGroups of PureLB'
  return [
    kinds.length === 0 ? nothing : `${kinds.join(', ')} became ${resources.length} resources`,
    ...notes.map(({ subject, text }) => `${subject}: ${text}`),
    ...errors.map(error => `error: ${formatConfigError(error)}`),
  ]
}
