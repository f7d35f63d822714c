module typemetal/monitoring

go 1.26.0

// For the definitions of its kinds, which are files of this module; nothing is built of it.
require github.com/prometheus-operator/prometheus-operator v0.85.0
