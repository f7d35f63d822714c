/** Services that will not get what they ask for. */
import type { ObjectKey, Service } from '@typemetal/cluster'
import { isOurClass, parseClasses, Reconciler } from '@typemetal/controller'
import { warn } from './warning.js'
import type { Scene, Warning } from './warnings.js'

/** What the controller would complain of, and classes that no process serves. */
export function serviceWarnings(scene: Scene): readonly Warning[] {
  const { snapshot, namespace, lbClass } = scene
  const classes = parseClasses(lbClass)
  const services = snapshot.objects('Service')
  const strangers = [...services.values()]
    .filter(service => service.spec?.type === 'LoadBalancer' && !isOurClass(service, classes))
    .map(service => ofAnotherClass(scene, service))
  const { events } = new Reconciler({ namespace, lbClass }).handle(snapshot)
  const complaints = events
    .filter(({ type, regarding }) => type === 'Warning' && regarding.kind === 'Service')
    .flatMap(({ regarding, reason, message }) => {
      const key: ObjectKey = `${regarding.namespace ?? 'default'}/${regarding.name}`
      const service = services.get(key)
      return service ? [warn(scene, service, '', `${reason}: ${message}`)] : []
    })
  return [...strangers, ...complaints]
}

function ofAnotherClass(scene: Scene, service: Service): Warning {
  const wanted = service.spec?.loadBalancerClass
  const reason =
    wanted === undefined
      ? `has no class, and controller and speakers serve ${scene.lbClass} only`
      : `"${wanted}" is served only where controller and speakers are started with --lb-class ${wanted}`
  return warn(scene, service, 'spec.loadBalancerClass', reason)
}
