package goproxy

import "html/template"

// adminPage changes members by PUT, which a page of another origin cannot send
// without being asked first.
var adminPage = template.Must(template.New("admin").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>goproxy</title>
<style>body{font:15px sans-serif;margin:2em}td,th{padding:.3em 1em;text-align:left}tr.ejected,tr.unhealthy{background:#fdd}tr.disabled,tr.draining,tr.drain{color:#888}input{width:4em}</style>
<h1>goproxy</h1>
<h2>Members</h2>
<table><tr><th>upstream<th>member<th>url<th>route<th>addresses<th>state<th>load factor</tr>
{{range .Members}}<tr class="{{.State}}" data-upstream="{{.Upstream}}" data-member="{{.Member}}"><td>{{.Upstream}}<td>{{.Member}}{{if .Backup}} (backup){{end}}<td>{{.URL}}<td>{{.Route}}<td>{{.Addresses}}
<td><select name="state">{{$now := .State}}{{range $s := .States}}<option{{if eq $s $now}} selected{{end}}>{{$s}}</option>{{end}}</select>
<td><input name="loadfactor" type="number" min="1" max="100" value="{{.LoadFactor}}"></tr>
{{end}}</table>
<h2>Addresses</h2>
<table><tr><th>upstream<th>url<th>address<th>state<th>failures<th>outstanding</tr>
{{range .Endpoints}}<tr class="{{.State}}"><td>{{.Upstream}}<td>{{.URL}}<td>{{.Address}}<td>{{.State}}<td>{{.Failures}}<td>{{.Outstanding}}</tr>
{{else}}<tr><td colspan="6">no address is known yet</tr>
{{end}}</table>
<p><button>read the config again</button> <a href="/metrics">metrics</a> <a href="/api/members">members</a> <a href="/api/endpoints">addresses</a> <a href="/api/openapi.yaml">API</a></p>
<script>
const call = async (method, path, body) => {
	const answer = await fetch(path, {method, body});
	if (!answer.ok) alert((await answer.json()).error.message);
	location.reload();
};
document.querySelector("button").onclick = () => call("POST", "/api/reload");
addEventListener("change", e => {
	const row = e.target.closest("tr"), field = e.target.name;
	const value = field === "loadfactor" ? Number(e.target.value) : e.target.value;
	const path = "/api/members/" + encodeURIComponent(row.dataset.upstream) + "/" + encodeURIComponent(row.dataset.member);
	call("PUT", path, JSON.stringify({[field]: value}));
});
</script></html>
`))
