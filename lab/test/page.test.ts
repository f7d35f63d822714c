/** The status page in a real browser: what it shows, and to whom. */
import { type PageFacts, servePage, type ServiceFacts } from '@typemetal/cluster/page'
import { axeViolations, ExampleSource, exampleCluster, exampleServices } from '@typemetal/lab/browser'
import t from 'tap'
import { browser, browsing, Gate, PATIENCE, serve, View } from './page-support.js'

t.setTimeout(600_000)
const root = t

t.test('it says first what is wrong, and brings all it needs', browsing, async t => {
  const { url } = await serve(t)
  await using view = await View.open(await browser(root), url)
  t.equal(await view.text('h1'), 'Speaker on worker-1')
  t.equal(await view.ask('document.title'), '(3 wrong) speaker on worker-1 · Typemetal')
  const [first] = await view.texts('main > section h2')
  t.match(first, /3 things wrong, 2 worth a look$/)
  const problems = await view.texts('.problems > li')
  t.match(problems, [
    /Service shop\/checkout: nobody announces it/,
    /Service shop\/search-canary: no address/,
    /Session tor-2 of worker-1: Connect, BFD Down .*, for \d+ min/,
    /Node worker-3: cordoned/,
    /Pool public: 91 % in use/,
  ])
  t.match(await view.names('services'), ['shop/checkout', 'shop/search-canary'], 'and so do tables')
  t.same(await view.texts('section:not(#overview) > h2'), [
    'Services',
    'BGP and BFD sessions',
    'Nodes',
    'Pools',
    'Layer-2 addresses',
    'Gossip members',
    'Recent transitions',
  ])
  t.match(await view.texts('#sessions tbody tr'), [/tor-2[^]*Connect[^]*0 of 31/, /tor-1[^]*Established[^]*Up/])
  t.same([...new Set(view.requests.map(to => new URL(to).origin))], [new URL(url).origin])
  t.same(view.requests.map(to => new URL(to).pathname).toSorted(), ['/', '/events'])
})

t.test('a section that a process knows nothing about is not there', browsing, async t => {
  const { server, pools = [] } = exampleCluster(Date.now())
  const { node: _, ...rest } = server
  const source = new ExampleSource({ server: { ...rest, component: 'controller', role: 'leading' }, pools })
  const { url } = await serve(t, { source })
  await using view = await View.open(await browser(root), url)
  t.equal(await view.text('h1'), 'Controller')
  t.same(await view.texts('section:not([hidden]):not(#overview) > h2'), ['Pools'])
  t.match(await view.texts('nav li'), [/^2\s+1\s+Pools|^2[^]*Pools/])
})

for (const scheme of ['light', 'dark'] as const) {
  t.test(`WCAG 2.2 AA: axe finds nothing, ${scheme}`, browsing, async t => {
    const { url, source } = await serve(t)
    source.change({ services: exampleServices(60) })
    for (const options of [{ scheme }, { scheme, width: 320, height: 800 }]) {
      await using view = await View.open(await browser(root), url, options)
      t.equal(await view.ask('getComputedStyle(document.documentElement).colorScheme'), 'light dark')
      t.same(await axeViolations(view.page), [], 'with much that is wrong')
      await view.page.type('#services-filter', 'nothing has this name')
      await view.sees('no match', async () => (await view.texts('#services tbody tr')).length === 0)
      t.same(await axeViolations(view.page), [], 'with nothing that matches')
      await view.page.click('#theme')
      await view.page.click('#theme')
      t.equal(await view.ask('document.documentElement.dataset.theme'), 'dark')
      t.same(await axeViolations(view.page), [], 'in dark by choice')
    }
    source.change({ services: [], sessions: [], nodes: [], pools: [], layer2: [], members: [], transitions: [] })
    await using empty = await View.open(await browser(root), url, { scheme })
    t.match(await empty.text('#overview'), /Nothing is wrong/)
    t.same(await axeViolations(empty.page), [], 'with nothing at all')
    await empty.ask("document.querySelector('#theme').replaceChildren()")
    t.match(await axeViolations(empty.page), [/^button-name: #theme/], 'and would find something')
  })
}

t.test('what changes is shown at once, without a reload', browsing, async t => {
  const { url, source } = await serve(t)
  await using view = await View.open(await browser(root), url)
  await view.ask('window.sameDocument = true')
  const { services = [], sessions = [], transitions = [] } = source.facts()
  const healed = sessions.map(session => ({
    ...session,
    verdict: 'good' as const,
    state: 'Established',
    bfd: undefined,
  }))
  source.change({
    services: services.map(service =>
      service.verdict === 'bad' ? { ...service, verdict: 'good', addresses: ['192.0.2.77'] } : service,
    ),
    sessions: JSON.parse(JSON.stringify(healed)) as NonNullable<PageFacts['sessions']>,
  })
  await view.sees('the good news', async () => /^[^3]*\b2 worth a look$/.test(await view.text('#overview h2')))
  t.match(await view.texts('#services tbody tr'), [/192\.0\.2\.77|192\.0\.2\./])
  t.match(await view.texts('#sessions tbody tr'), [/tor-1[^]*Established/, /tor-2[^]*Established/])
  t.equal(await view.ask('document.title'), 'speaker on worker-1 · Typemetal')
  t.equal(await view.text('#announcer'), '', 'what was before is not said')
  const [newest] = transitions
  if (!newest) throw new Error('the example has transitions')
  const more = [9, 8, 7].map(id => ({
    ...newest,
    id,
    object: `Service default/s-${id}`,
    what: 'announced by BGP',
    why: 'its turn',
  }))
  source.change({ transitions: [...more, ...transitions] })
  await view.sees('words for who listens', async () => (await view.text('#announcer')) !== '')
  t.equal(
    await view.text('#announcer'),
    'Service default/s-7: announced by BGP, its turn. Service default/s-8: announced by BGP, its turn. Service default/s-9: announced by BGP, its turn',
  )
  t.equal(await view.ask("document.querySelector('#announcer').getAttribute('aria-live')"), 'polite')
  t.match(await view.names('transitions'), ['Service default/s-9', 'Service default/s-8', 'Service default/s-7'])
  source.change({ transitions: Array.from({ length: 40 }, (_, index) => ({ ...newest, id: 50 - index })) })
  await view.sees('a summary', async () => /^37 transitions before these\. /m.test(await view.text('#announcer')))
  t.equal(await view.ask('window.sameDocument'), true)
  t.equal(source.watchers, 1)
})

t.test('all of it by keyboard', browsing, async t => {
  const { url, source } = await serve(t)
  source.change({ services: exampleServices(60) })
  await using view = await View.open(await browser(root), url)
  const { keyboard } = view.page
  await keyboard.press('Tab')
  t.equal(await view.focused(), 'Skip to the content')
  t.ok(
    await view.ask<number>('document.activeElement.getBoundingClientRect().top >= 0'),
    'to be seen once it has the focus',
  )
  await keyboard.press('Enter')
  t.equal(await view.focused(), 'main')

  await view.tabTo('Service shop/checkout')
  await keyboard.press('Enter')
  await view.sees('the one row', async () => (await view.names('services')).join() === 'shop/checkout')
  await view.tabTo('services-filter')
  t.equal(await view.ask('document.activeElement.value'), 'shop/checkout')
  await keyboard.press('Escape')
  await view.sees('all rows', async () => (await view.names('services')).length === 25)
  await keyboard.type('WEB shop')
  await view.sees('those that match', async () =>
    (await view.names('services')).every(name => name.startsWith('shop/web')),
  )
  await view.sees('their number said', async () => /^\d+ Services? shown$/.test(await view.text('#announcer')))
  await keyboard.press('Escape')
  await keyboard.press('Tab')
  await keyboard.press('Space')
  await view.sees('what is not good', async () => (await view.names('services')).length === 2)
  await keyboard.press('Space')

  await view.tabTo('Table of Services: Page Up and Page Down turn pages')
  await keyboard.press('PageDown')
  t.equal(await view.text('#services .where'), '26–50 of 60')
  await keyboard.press('End')
  t.equal(await view.text('#services .where'), '51–60 of 60')
  await keyboard.press('Home')
  await view.tabTo('Service')
  await keyboard.press('Enter')
  await keyboard.press('Enter')
  t.equal(await view.ask("document.activeElement.closest('th').ariaSort"), 'descending')
  t.equal(await view.ask("document.querySelectorAll('#services [aria-sort]').length"), 1)
  const names = await view.names('services')
  t.same(
    names,
    names.toSorted((a, b) => new Intl.Collator('en', { numeric: true }).compare(b, a)),
  )
  await view.tabTo('Next page')
  await keyboard.press('Enter')
  await keyboard.press('Space')
  t.equal(await view.text('#services .where'), '51–60 of 60')
  t.equal(await view.focused(), 'Next page', 'at the end the focus stays')
  t.equal(await view.ask('document.activeElement.ariaDisabled'), 'true')
  await keyboard.press('Enter')
  t.equal(await view.text('#services .where'), '51–60 of 60')

  const outlines = await view.ask<readonly string[]>(`[...document.querySelectorAll('a, button, input, [tabindex="0"]')]
    .filter(e => e.checkVisibility())
    .map(e => { e.focus({ focusVisible: true }); return getComputedStyle(e).outlineStyle + ' ' + (document.activeElement === e) })`)
  t.same([...new Set(outlines)], ['solid true'], 'the focus can be seen wherever it is')
  t.ok(outlines.length > 40)
})

t.test('5,000 Services: sorted, filtered and paged, also while they change', browsing, async t => {
  const { url, source } = await serve(t)
  const services = exampleServices(5000)
  source.change({ services })
  await using view = await View.open(await browser(root), url)
  t.equal(await view.text('#services .where'), '1–25 of 5,000')
  t.equal(await view.ask("document.querySelectorAll('#services tbody tr').length"), 25)
  t.equal(await view.text('nav a[href="#services"] b'), '5,000')
  await view.page.type('#services-filter', '192.0.9.254')
  await view.sees('the one that has it', async () => (await view.texts('#services tbody tr')).length === 1)
  const [found] = await view.names('services')
  const wanted = services.find(({ addresses }) => addresses.includes('192.0.9.254'))
  t.equal(found, wanted?.service)

  await view.ask(`{
    window.marked = 0
    const marked = records => { window.marked += records.filter(({ target }) => target.hasAttribute('data-changed')).length }
    new MutationObserver(marked).observe(document.querySelector('#services tbody'), { subtree: true, attributeFilter: ['data-changed'] })
  }`)
  source.change({
    services: services.map(each => (each === wanted ? { ...each, verdict: 'note', reason: 'moved just now' } : each)),
  })
  await view.sees('its change', async () => /moved just now/.test(await view.text('#services tbody tr')))
  t.equal(await view.ask('document.querySelector("#services-filter").value'), '192.0.9.254')
  t.equal(await view.focused(), 'services-filter', 'who types is not disturbed')
  t.equal(await view.ask('window.marked'), 1, 'the eye is led to it')

  const took = await view.ask<number>(`(filter => {
    const begin = performance.now()
    for (const text of ['w', 'we', 'web', '']) { filter.value = text; filter.dispatchEvent(new Event('input')) }
    return performance.now() - begin
  })(document.querySelector('#services-filter'))`)
  t.comment(`four letters took ${took.toFixed(0)} ms`)
  await view.sees('all again', async () => (await view.text('#services .where')) === '1–25 of 5,000')
  source.change({ services: [] })
  await view.sees('none left', async () => /There is no Service/.test(await view.text('#services .none')))
})

t.test('names are text, whatever is in them', browsing, async t => {
  const { url, source } = await serve(t)
  const evil = `"'><img src=x onerror="window.hacked=1"><script>window.hacked=2</script>&lt;b&gt;\${1}`
  const poisoned = JSON.parse(
    JSON.stringify(source.facts(), (key, value: unknown) => {
      const isFree = typeof value === 'string' && !['verdict', 'component', 'assigned', 'available'].includes(key)
      return isFree && !/At$|^at$|since/.test(key) && !/^(?:layer2|bgp)$/.test(value) ? evil + value : value
    }),
  ) as PageFacts
  source.change({ ...poisoned, notices: [{ verdict: 'bad', what: evil, details: [evil] }] })
  await using view = await View.open(await browser(root), url)
  await view.page.type('#services-filter', '<img')
  await view.sees('rows that have it', async () => (await view.names('services')).length > 0)
  t.match((await view.names('services'))[0], evil.slice(0, 40), 'shown as it is')
  t.equal(await view.ask('window.hacked'), undefined)
  t.equal(await view.ask("document.querySelectorAll('img, script:not(head > script)').length"), 0)
  t.equal(
    await view.ask('(() => { try { document.body.innerHTML = "<b>"; return "taken" } catch (e) { return e.name } })()'),
    'TypeError',
    'trusted types',
  )
  view.expect(/TrustedHTML/)
})

t.test('the server goes away and comes back', browsing, async t => {
  await using gate = new Gate()
  const url = await gate.open()
  const source = new ExampleSource(exampleCluster(Date.now()))
  const first = await servePage({ source, port: 0 })
  gate.target = first.port
  await using view = await View.open(await browser(root), url)
  await view.ask('window.sameDocument = true')
  await first[Symbol.asyncDispose]()
  gate.cut()
  await view.sees('it said', async () => (await view.text('#connection-state')) === 'lost')
  await view.sees('when it is tried again', async () =>
    /^lost\s*, retrying (?:in \d+ s|now)$/.test(await view.text('#connection')),
  )
  t.match(
    await view.text('#stale'),
    /^The connection is lost\. This is how things were at \d{4}-\d\d-\d\d [\d:]+, .* ago\.$/,
  )
  t.ok((await view.names('services')).length > 0, 'what was known stays')
  t.same(await axeViolations(view.page), [])

  source.change({ services: [{ service: 'new/one', verdict: 'good', addresses: ['192.0.2.9'] }] })
  await using second = await servePage({ source, port: 0 })
  gate.target = second.port
  await view.sees('live again', async () => (await view.text('#connection')) === 'live')
  t.same(await view.names('services'), ['new/one'])
  t.equal(await view.ask('document.querySelector("#stale").hidden'), true)
  t.equal(await view.ask('window.sameDocument'), true, 'the same document')

  const { server } = source.facts()
  source.change({ server: { ...server, version: '99.0.0' } })
  await view.sees('the page of another version', async () => (await view.ask('window.sameDocument')) === undefined)
  await view.sees('live', async () => (await view.text('#connection')) === 'live')
})

t.test('320 CSS pixels are enough (WCAG 1.4.10)', browsing, async t => {
  const { url, source } = await serve(t)
  const long = (text: string): string => `${text}-`.repeat(16).slice(0, 63)
  const service: ServiceFacts = {
    service: `${long('namespace')}/${long('name')}`,
    verdict: 'bad',
    addresses: ['2001:db8:1111:2222:3333:4444:5555:6666', '203.0.113.255'],
    pool: long('pool'),
    layer2: { nodes: [long('node')], to: ['enp216s0f1np1'] },
    bgp: { nodes: [long('node'), long('other')], to: [long('peer')] },
    reason: long('reason'),
  }
  source.change({ services: [service, ...exampleServices(60)] })
  await using view = await View.open(await browser(root), url, { width: 320, height: 700 })
  t.equal(await view.ask('document.documentElement.scrollWidth'), 320, 'nothing is beside the window')
  const outside = await view.ask<readonly string[]>(`[...document.querySelectorAll('body *')]
    .filter(e => e.checkVisibility() && !e.closest('.unseen, .skip') && e.getBoundingClientRect().right > 320.5)
    .map(e => e.outerHTML.slice(0, 100))`)
  t.same(outside, [])
  const small = await view.ask<readonly string[]>(`[...document.querySelectorAll('button, input, nav a')]
    .filter(e => e.checkVisibility() && Math.min(e.getBoundingClientRect().height, 24) < 24 && e.type !== 'checkbox')
    .map(e => e.outerHTML.slice(0, 100))`)
  t.same(small, [], 'all can be hit (WCAG 2.5.8)')
})

t.test('the theme is kept, and motion is for those who like it', browsing, async t => {
  const { url, source } = await serve(t)
  await using view = await View.open(await browser(root), url, { scheme: 'dark', reducedMotion: false })
  const ground = (): Promise<string> => view.ask('getComputedStyle(document.body).backgroundColor')
  const dark = await ground()
  t.equal(await view.text('#theme'), 'Theme: auto')
  await view.page.click('#theme')
  t.equal(await view.text('#theme'), 'Theme: light')
  const light = await ground()
  t.not(light, dark)
  await view.page.reload()
  await view.sees('live', async () => (await view.text('#connection')) === 'live')
  t.equal(await view.text('#theme'), 'Theme: light')
  t.equal(await ground(), light)

  const animation = "getComputedStyle(document.querySelector('#pools tbody th')).animationName"
  const { pools = [] } = source.facts()
  const changed = async (percent: number): Promise<string> => {
    source.change({ pools: pools.map(pool => ({ ...pool, percent })) })
    await view.sees('the change', async () => (await view.text('#pools tbody tr')).includes(`${percent} %`))
    return view.ask(
      `(() => { document.querySelector('#pools tbody tr').setAttribute('data-changed', ''); return ${animation} })()`,
    )
  }
  t.equal(await changed(41), 'changed')
  await view.page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }])
  t.equal(await changed(42), 'none')
})

t.test('on paper there is what is to be read, and nothing to press', browsing, async t => {
  const { url } = await serve(t)
  await using view = await View.open(await browser(root), url, { scheme: 'dark' })
  await view.page.emulateMediaType('print')
  const seen = (selector: string): Promise<boolean> =>
    view.ask(`document.querySelector('${selector}').checkVisibility()`)
  for (const selector of ['#theme', '#services-filter', 'nav', '#services .pager button'])
    t.notOk(await seen(selector), selector)
  for (const selector of ['h1', '#overview', '#services tbody tr', '#services .where'])
    t.ok(await seen(selector), selector)
  t.equal(await view.ask('getComputedStyle(document.documentElement).colorScheme'), 'light')
  t.ok((await view.page.pdf({ timeout: PATIENCE })).length > 10_000)
})
