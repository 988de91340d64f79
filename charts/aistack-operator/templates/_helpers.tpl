{{- define "aistack.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- define "aistack.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains (include "aistack.name" .) .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "aistack.name" .) | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "aistack.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "aistack.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: write the name of the ServiceAccount that exists, as serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Values that the schema can't check against each other. */}}
{{- define "aistack.check" -}}
{{- if contains "://" .Values.images.registry -}}
{{- fail (printf "images.registry: %q has a scheme; write host and path alone, e.g. registry.example.com/ai" .Values.images.registry) -}}
{{- end -}}
{{- if and .Values.ca.configMap .Values.ca.secret -}}
{{- fail "ca.configMap and ca.secret are both set; write one of them" -}}
{{- end -}}
{{- if and .Values.serviceAccount.create (eq .Values.serviceAccount.name "default") -}}
{{- fail "serviceAccount.name: 'default' exists in every namespace; write another name, or set serviceAccount.create to false" -}}
{{- end -}}
{{- end -}}

{{/* Of two releases in one namespace the second would wait for the first one's Lease for ever. */}}
{{- define "aistack.alone" -}}
{{- range (lookup "apps/v1" "Deployment" .Release.Namespace "").items -}}
{{- $labels := default dict .metadata.labels -}}
{{- $other := index $labels "app.kubernetes.io/instance" -}}
{{- if and (hasPrefix (printf "%s-" $.Chart.Name) (default "" (index $labels "helm.sh/chart"))) (ne $other $.Release.Name) -}}
{{- fail (printf "the release %s runs the operator in namespace %s already: upgrade that one, or install this one into a namespace of its own, with watchNamespaces" $other $.Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the pods of this release have in common; the NetworkPolicy selects it. */}}
{{- define "aistack.selector" -}}
app.kubernetes.io/name: {{ include "aistack.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "aistack.labels" -}}
{{ include "aistack.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "aistack.watchArgs" -}}
{{- range $i, $namespace := .Values.watchNamespaces }}
{{- if $i }}{{ "\n" }}{{ end }}- --watch={{ $namespace }}
{{- end }}
{{- end -}}

{{/* The ServiceAccounts that stacks may have, as JSON. */}}
{{- define "aistack.accounts" -}}
{{- prepend .Values.allowedServiceAccounts .Values.defaultServiceAccount | compact | uniq | toJson -}}
{{- end -}}

{{/* Where a pod runs and what it may be: the same for the operator and for the hooks. */}}
{{- define "aistack.pod" -}}
# No uid is named: the image runs under any in group 0, and OpenShift chooses one.
securityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 256Mi}
{{- if or .Values.ca.configMap .Values.ca.secret }}
  - name: ca
    {{- if .Values.ca.configMap }}
    configMap: {name: {{ .Values.ca.configMap }}}
    {{- else }}
    secret: {secretName: {{ .Values.ca.secret }}}
    {{- end }}
{{- end }}
{{- end -}}

{{/* The rest of a container, after its name, command and resources. */}}
{{- define "aistack.container" -}}
image: {{ printf "%s/%s:%s" (trimSuffix "/" .Values.images.registry) .Values.images.repository (default .Chart.AppVersion .Values.images.tag) | quote }}
imagePullPolicy: {{ .Values.images.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- if include "aistack.env" . }}
env: {{- include "aistack.env" . | nindent 2 }}
{{- end }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
{{- if or .Values.ca.configMap .Values.ca.secret }}
  - {name: ca, mountPath: /etc/aistack/ca, readOnly: true}
{{- end }}
{{- end -}}

{{- define "aistack.env" -}}
# Of whichever family the kubelet's probes ask.
- {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
{{- if or .Values.ca.configMap .Values.ca.secret }}
- {name: SSL_CERT_FILE, value: /etc/aistack/ca/{{ .Values.ca.key }}}
{{- end }}
{{- with .Values.proxy.http }}
- {name: HTTP_PROXY, value: {{ . | quote }}}
{{- end }}
{{- with .Values.proxy.https }}
- {name: HTTPS_PROXY, value: {{ . | quote }}}
{{- end }}
{{- if or .Values.proxy.http .Values.proxy.https .Values.proxy.direct }}
{{- $direct := list "$(KUBERNETES_SERVICE_HOST)" "localhost" "127.0.0.1" ".svc" }}
- {name: NO_PROXY, value: {{ join "," (concat $direct (.Values.proxy.direct | splitList "," | compact)) | quote }}}
{{- end }}
{{- end -}}
