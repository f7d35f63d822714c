/** The script of the status page: follows the server's events and shows what they say. */
import type { PageFacts, Section, ServerFacts } from '../facts.js'
import { applyChange, type NamedSection, ROW_NAMES, type RowChange, type RowOf } from '../row-names.js'
import { Announcer } from './announcer.js'
import { ageOf, refreshAges, synchronize } from './clock.js'
import { showConnection, showStaleness } from './connection.js'
import { byId, element } from './dom.js'
import { Navigation } from './navigation.js'
import { Overview } from './overview.js'
import { problemsOf } from './problems.js'
import { type FactsEvent, followEvents } from './stream.js'
import { DataTable } from './table.js'
import { LAYER2, MEMBERS, NODES, POOLS, SERVICES, SESSIONS, TRANSITIONS } from './tables.js'
import { offerThemes, restoreTheme } from './theme.js'

restoreTheme()
document.addEventListener('DOMContentLoaded', start)

function start(): void {
  offerThemes()
  const announcer = new Announcer(byId('announcer'))
  const say = (text: string): void => announcer.say(text)
  const tables = {
    services: new DataTable(SERVICES, say),
    sessions: new DataTable(SESSIONS, say),
    nodes: new DataTable(NODES, say),
    pools: new DataTable(POOLS, say),
    layer2: new DataTable(LAYER2, say),
    members: new DataTable(MEMBERS, say),
    transitions: new DataTable(TRANSITIONS, say),
  }
  const overview = new Overview((section, filter, onlyWrong) => {
    if (section in tables) tables[section as keyof typeof tables].search(filter, onlyWrong)
  })
  const navigation = new Navigation()
  const main = byId('main')
  let facts: Partial<PageFacts> = {}
  let at: string | undefined

  const show = (changed: ReadonlySet<Section>): void => {
    if (changed.has('server') && facts.server) showServer(facts.server)
    if (changed.has('services')) tables.services.update(facts.services)
    if (changed.has('sessions')) tables.sessions.update(facts.sessions)
    if (changed.has('nodes')) tables.nodes.update(facts.nodes)
    if (changed.has('pools')) tables.pools.update(facts.pools)
    if (changed.has('layer2')) tables.layer2.update(facts.layer2)
    if (changed.has('members')) tables.members.update(facts.members)
    if (changed.has('transitions')) tables.transitions.update(facts.transitions)
    const problems = problemsOf(facts)
    overview.update(problems, facts)
    navigation.update(facts)
    showTitle(facts.server, problems.filter(({ verdict }) => verdict === 'bad').length)
  }
  const take = (event: FactsEvent): void => {
    const running = facts.server?.version
    const { sections, changes = {} } = event
    const changed = new Set(event.whole ? ALL : ([...Object.keys(sections), ...Object.keys(changes)] as Section[]))
    facts = { ...(event.whole ? {} : facts), ...present(sections), ...withChanges(facts, changes) }
    for (const section of changed) if (sections[section] === null) facts = without(facts, section)
    at = event.at
    synchronize(at)
    // Another version may say other things: its own page shows them.
    if (running !== undefined && facts.server?.version !== running) location.reload()
    const { transitions = [] } = facts
    if (event.whole) announcer.skip(transitions)
    else announcer.tell(transitions)
    show(changed)
  }

  for (const table of Object.values(tables)) table.section.hidden = true
  followEvents({
    facts: take,
    connection: state => {
      showConnection(state)
      showStaleness(state, at)
      if (state.state === 'live' && !overview.section.isConnected) {
        main.append(overview.section, navigation.element, ...Object.values(tables).map(({ section }) => section))
      }
    },
  })
  setInterval(refreshAges, 1000)
}

/** Sections that a whole set of facts may lack. */
const ALL: readonly Section[] = [
  'server',
  'notices',
  'services',
  'sessions',
  'nodes',
  'pools',
  'layer2',
  'members',
  'transitions',
]

const present = (sections: FactsEvent['sections']): Partial<PageFacts> =>
  Object.fromEntries(Object.entries(sections).filter(([, value]) => value !== null))

/** The sections of which rows have changed, as they are now; rows that have not stay the same objects. */
function withChanges(facts: Partial<PageFacts>, changes: NonNullable<FactsEvent['changes']>): Partial<PageFacts> {
  const names = Object.keys(changes) as NamedSection[]
  return Object.fromEntries(names.map(name => [name, rowsWith(name, facts[name] ?? [], changes[name])]))
}

function rowsWith<S extends NamedSection>(
  name: S,
  rows: readonly RowOf<S>[],
  change: RowChange<RowOf<S>> | undefined,
): readonly RowOf<S>[] {
  return change ? applyChange(rows, change, ROW_NAMES[name]) : rows
}

const without = (facts: Partial<PageFacts>, gone: Section): Partial<PageFacts> =>
  Object.fromEntries(Object.entries(facts).filter(([section]) => section !== gone))

const nameOf = ({ component, node }: ServerFacts): string =>
  node === undefined ? component : `${component} on ${node}`

function showTitle(server: ServerFacts | undefined, wrong: number): void {
  const name = server ? nameOf(server) : 'status'
  const title = `${wrong > 0 ? `(${wrong} wrong) ` : ''}${name} · Typemetal`
  if (document.title !== title) document.title = title
}

function showServer(server: ServerFacts): void {
  const { component, node, host, namespace, version, startedAt, role } = server
  const name = component === 'speaker' ? 'Speaker' : 'Controller'
  byId('who').replaceChildren(name, ...(node === undefined ? [] : [' on ', element('b', {}, node)]))
  const items: readonly (readonly [string, string | HTMLElement | undefined])[] = [
    ['Does', role],
    ['Namespace', namespace],
    ['Host', host === node ? undefined : host],
    ['Version', version],
    ['Running for', ageOf(startedAt)],
  ]
  const pairs = items.flatMap(([term, value]) =>
    value === undefined ? [] : [element('div', {}, element('dt', {}, term), element('dd', {}, value))],
  )
  byId('server').replaceChildren(...pairs)
}
