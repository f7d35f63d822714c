/** The status objects as they will be when our own writes have come back to us, by what they are about. */
import { objectKey } from '@typemetal/cluster'
import type { Change, ObjectKey, Snapshot } from '@typemetal/cluster'
import type { Clock } from '../clock.js'
import { configurationStateName } from './configuration-state.js'
import { StatusLabel, serviceOf } from './objects.js'
import type { ServiceStatusKind, StatusObject, StatusOwner } from './objects.js'
import { isEcho, isNews } from './written.js'
import type { Item, StatusKind, Written } from './written.js'

/** Milliseconds for which a write that is not seen in the store is believed all the same. */
const ECHO = 60_000

const SERVICE_KINDS: readonly ServiceStatusKind[] = ['ServiceL2Status', 'ServiceBGPStatus']
const KINDS: readonly StatusKind[] = [...SERVICE_KINDS, 'ConfigurationState']
const isServiceKind = (kind: string): kind is ServiceStatusKind => (SERVICE_KINDS as readonly string[]).includes(kind)

/** Options of {@link StatusView}. */
export interface StatusViewOptions {
  readonly snapshot: () => Snapshot
  readonly owner: StatusOwner
  readonly clock: Clock
  /** An object about this item turned out to be other than we thought, long after we wrote it. */
  readonly onSurprise: (item: Item) => void
  /** An object that cannot be ours to judge, since it lacks labels. Called for each appearance. */
  readonly onUnlabelled: (object: StatusObject) => void
}

/** Objects of one kind. There are thousands, nearly always one about a Service: a list of one, not a Map of it. */
interface KnownObjects {
  /** By the Service that they are about. No list is empty. */
  readonly about: Map<ObjectKey, readonly StatusObject[]>
  /** The Service that an object is about, by the object's key. */
  readonly subjects: Map<ObjectKey, ObjectKey>
}

/** Costs what changes: a change of one object never looks at the others. */
export class StatusView {
  readonly #options: StatusViewOptions
  readonly #known: Readonly<Record<StatusKind, KnownObjects>> = {
    ServiceL2Status: { about: new Map(), subjects: new Map() },
    ServiceBGPStatus: { about: new Map(), subjects: new Map() },
    ConfigurationState: { about: new Map(), subjects: new Map() },
  }
  readonly #written = new Map<string, Written>()
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: StatusViewOptions) {
    this.#options = options
  }

  /** Reads everything there is, once. @returns items that have objects of this node */
  load(): readonly Item[] {
    const snapshot = this.#options.snapshot()
    const mine: Item[] = []
    for (const kind of KINDS) {
      for (const [key, object] of snapshot.objects<StatusKind>(kind)) {
        const item = this.#itemOf(object)
        if (!item) continue
        this.#set(item, key, object)
        if (this.#isMine(object)) mine.push(item)
      }
    }
    return mine
  }

  /** Takes changes of the store. @returns items of which an object of this node is not what we left there */
  follow(changes: readonly Change[]): readonly Item[] {
    const own = changes.filter(({ kind }) => isServiceKind(kind) || kind === 'ConfigurationState')
    if (own.length === 0) return []
    const snapshot = this.#options.snapshot()
    return own.flatMap(({ kind, key }) => {
      const object: StatusObject | undefined = snapshot.objects(kind).get(key)
      return this.#take(kind as StatusKind, key, object)
    })
  }

  /** All objects about an item, those of other nodes too. Costs nothing. */
  objectsOf({ kind, service }: Item): readonly StatusObject[] {
    return this.#known[kind].about.get(service) ?? []
  }

  /** Items of which this node has objects. */
  ownItems(): readonly Item[] {
    return KINDS.flatMap(kind =>
      [...this.#known[kind].about]
        .filter(([, objects]) => objects.some(object => this.#isMine(object)))
        .map(([service]) => ({ kind, service })),
    )
  }

  /** Takes note of a write that went well, until the store shows it, or something newer. */
  remember(key: ObjectKey, written: Written): void {
    const { item } = written
    const id = `${item.kind} ${key}`
    this.#written.delete(id)
    this.#written.set(id, written)
    this.#set(item, key, written.now)
    this.#watchEchoes()
  }

  /** Waits for nothing any more. */
  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  #take(kind: StatusKind, key: ObjectKey, object: StatusObject | undefined): readonly Item[] {
    const id = `${kind} ${key}`
    const written = this.#written.get(id)
    if (written && !isNews(written, object)) return []
    this.#written.delete(id)
    const service = this.#known[kind].subjects.get(key)
    const before = service === undefined ? undefined : { kind, service }
    const known = before && this.objectsOf(before).find(each => objectKey(each.metadata) === key)
    const item = object ? this.#itemOf(object) : before
    if (before && (!item || idOf(before) !== idOf(item))) this.#set(before, key, undefined)
    if (item) this.#set(item, key, object)
    if (written && isEcho(written, object)) return []
    // What other nodes say is theirs: two that answer each other's writes would never end.
    const concerned = [
      known && this.#isMine(known) ? before : undefined,
      object && this.#isMine(object) ? item : undefined,
    ]
    return concerned.filter(each => each !== undefined)
  }

  #itemOf(object: StatusObject): Item | undefined {
    const { kind, metadata } = object
    const { owner, onUnlabelled } = this.#options
    if (metadata.namespace !== owner.namespace) return undefined
    if (!isServiceKind(kind)) {
      return metadata.name === configurationStateName(owner.node)
        ? { kind: 'ConfigurationState', service: '' }
        : undefined
    }
    const service = serviceOf(object)
    if (service === undefined) onUnlabelled(object)
    return service === undefined ? undefined : { kind, service }
  }

  #isMine({ kind, metadata }: StatusObject): boolean {
    return kind === 'ConfigurationState' || metadata.labels?.[StatusLabel.node] === this.#options.owner.node
  }

  #set({ kind, service }: Item, key: ObjectKey, object: StatusObject | undefined): void {
    const { about, subjects } = this.#known[kind]
    const others = (about.get(service) ?? []).filter(each => objectKey(each.metadata) !== key)
    // Nearly always it is one alone, which needs no list with room for more.
    const objects = !object ? others : others.length === 0 ? [object] : [...others, object]
    if (objects.length > 0) about.set(service, objects)
    else about.delete(service)
    if (object) subjects.set(key, service)
    else subjects.delete(key)
  }

  /** One timer for the oldest write that the store has not shown yet. */
  #watchEchoes(): void {
    const [oldest] = this.#written.values()
    if (this.#cancel || this.#closed || !oldest) return
    const { clock } = this.#options
    this.#cancel = clock.after(Math.max(0, oldest.at + ECHO - clock.now()), () => {
      this.#cancel = undefined
      this.#forgetEchoes()
      this.#watchEchoes()
    })
  }

  #forgetEchoes(): void {
    const { clock, snapshot, onSurprise } = this.#options
    const objects = snapshot()
    for (const [id, { item, at, now }] of this.#written) {
      if (at + ECHO > clock.now()) return
      this.#written.delete(id)
      const key = id.slice(id.indexOf(' ') + 1)
      const shown: StatusObject | undefined = objects.objects(item.kind).get(key)
      if (shown === now) continue
      this.#set(item, key, shown)
      onSurprise(item)
    }
  }
}

/** One text for an item. */
export const idOf = ({ kind, service }: Item): string => `${kind} ${service}`

/** The item of a text. */
export function itemOf(id: string): Item {
  const blank = id.indexOf(' ')
  return { kind: id.slice(0, blank) as StatusKind, service: id.slice(blank + 1) }
}
