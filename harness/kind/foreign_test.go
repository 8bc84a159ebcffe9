package kind

import (
	"testing"

	. "github.com/onsi/gomega"
)

// Forms in which files lie in repositories.
func TestForeign(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeffserver {}\n":                                          "byte order mark",
		"\x00GITCRYPT\x00\x01\x02":                                   "git-crypt",
		"$ANSIBLE_VAULT;1.1;AES256\n6231\n":                          "Ansible Vault",
		"version https://git-lfs.github.com/spec/v1\noid sha256:1\n": "Git LFS",
		"# ours\n---\napiVersion: v1\nkind: ConfigMap\n":             "manifest of Kubernetes",
		"services:\n  web:\n":                                        "Docker Compose",
		"server { server_name {{ site.name }}; }\n":                  "template of Ansible",
		"server {\n{% if tls %}\nlisten 443;\n{% endif %}\n}\n":      "template of Ansible",
		"server { listen <%= ENV['PORT'] %>; }\n":                    "template of Ruby",
		"%{~ for p in ports ~}\nserver ${ip}:${p};\n%{~ endfor ~}\n": "template of Terraform",
		"\x1f\x8b\x08\x00\x00":                                       "is an archive",
		"PK\x03\x04\x14\x00":                                         "is an archive",
		"#!/bin/sh\ncat > /etc/nginx/nginx.conf <<EOF\n":             "is a script",
		"\xff\xfes\x00e\x00r\x00":                                    "UTF-16",
		"\xfe\xff\x00s\x00e\x00r":                                    "UTF-16",
		"RewriteCond %{HTTPS} off\nLogFormat \"%{Host}i %{if}e\"\n":  "",
		"server { listen 80; log_format a '{$a}{$b}'; }\n":           "",
		"http-request set-header X %{+Q}[src]\n":                     "",
	} {
		t.Run(text, func(t *testing.T) {
			g := NewWithT(t)
			got := of(text).Foreign("[emerg] no")
			if want == "" {
				g.Expect(got).To(BeEmpty())
				return
			}
			g.Expect(got).To(ContainSubstring(want))
		})
	}
	g := NewWithT(t)
	two := tree("a.conf", "{{ x }}", "b.conf", "\ufeffx")
	g.Expect(two.Foreign("unknown directive in b.conf:1")).To(HavePrefix("b.conf begins with a byte order mark"))
	g.Expect(two.Foreign("something else")).To(BeEmpty())
}
