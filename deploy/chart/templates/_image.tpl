{{/* Whether values name an image of MetalLB: those cannot run with this chart. Of an image's values. */}}
{{- define "typemetal.isMetalLBImage" -}}
{{- if regexMatch "(^|/)metallb[/-](controller|speaker)$" (default "" .repository) }}true{{ end -}}
{{- end -}}

{{/* Whether the speaker is to run as somebody else than root. */}}
{{- define "typemetal.speakerIsNonRoot" -}}
{{- $context := .Values.speaker.securityContext -}}
{{- if or $context.runAsNonRoot (ne 0 (int (default 0 $context.runAsUser))) }}true{{ end -}}
{{- end -}}

{{/* Image of a component; of (list root "speaker"). */}}
{{- define "typemetal.image" -}}
{{- $root := index . 0 -}}
{{- $image := (index $root.Values (index . 1)).image -}}
{{- if include "typemetal.isMetalLBImage" $image -}}
{{- $image = dict -}}
{{- end -}}
{{- $repository := default (printf "typemetal/%s" (index . 1)) $image.repository -}}
{{- $variant := ternary "-nonroot" "" (and (eq (index . 1) "speaker") (eq (include "typemetal.speakerIsNonRoot" $root) "true")) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default (print $root.Chart.AppVersion $variant) $image.tag) -}}
{{- end -}}
{{- end -}}
