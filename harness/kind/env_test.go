package kind

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestReadEnv(t *testing.T) {
	g := NewWithT(t)
	env, err := ReadEnv("BACKEND_URL=http://b:8000?a=b PORT=8080  EMPTY=")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(env.Assignments()).To(Equal([]string{"BACKEND_URL=http://b:8000?a=b", "EMPTY=", "PORT=8080"}))

	file := filepath.Join(t.TempDir(), "env")
	g.Expect(os.WriteFile(file, []byte("# comment\n\nexport A=1\nB=\"two words\"\r\nC='x'\nD=a=b\n"), 0o600)).To(Succeed())
	env, err = ReadEnv(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(env.Assignments()).To(Equal([]string{"A=1", "B=two words", "C=x", "D=a=b"}))
	g.Expect(env.Said).To(Equal(file))

	// As Docker Compose has it.
	g.Expect(os.WriteFile(file, []byte(`DOMAIN=example.org
HOST=app.${DOMAIN}   # the load balancer
PORT="80$N" # its port
N='${DOMAIN} # no comment'   # one
SECRET=a#b
COLOR=#fff
NONE=
NOTHING = # at all
SPARE=${HOST:-x}/${GONE:-y}/${NONE:-z}/${NONE-w}/$host/$DOMAIN
LOG="{\"host\": \"$DOMAIN\", \"for\": \"\$DOMAIN\"}\n" # JSON
PATTERN=^\\d+\n$
SENTRY_DSN
`), 0o600)).To(Succeed())
	env, err = ReadEnv(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(env.Values).To(Equal(map[string]string{
		"DOMAIN": "example.org", "HOST": "app.example.org", "PORT": "80$N", "N": "${DOMAIN} # no comment", "SECRET": "a#b", "COLOR": "#fff",
		"NONE": "", "NOTHING": "", "SPARE": "app.example.org/y/z//$host/example.org",
		"LOG": `{"host": "example.org", "for": "$DOMAIN"}` + "\n", "PATTERN": `^\\d+\n$`,
	}))

	none, err := ReadEnv("")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(none.Assignments()).To(BeEmpty())
}

func TestReadEnvSaysWhatIsWrongAndNoSecret(t *testing.T) {
	g := NewWithT(t)
	_, err := ReadEnv("/no/such/file")
	g.Expect(err).To(MatchError(And(ContainSubstring("ENV=/no/such/file"), ContainSubstring("NAME=value"))))
	_, err = ReadEnv("A=1 hunter2")
	g.Expect(err).To(MatchError(And(HavePrefix("ENV: want NAME=value"), Not(ContainSubstring("hunter2")))))
	file := filepath.Join(t.TempDir(), "env")
	g.Expect(os.WriteFile(file, []byte("A=1\nhunter2\n"), 0o600)).To(Succeed())
	_, err = ReadEnv(file)
	g.Expect(err).To(MatchError(And(HavePrefix("ENV="+file+":2: "), Not(ContainSubstring("hunter2")))))
}

const template = "server {\n  listen ${LISTEN_PORT};\n  resolver ${NGINX_LOCAL_RESOLVERS} valid=5s;\n  set $backend ${BACKEND_URL};\n  proxy_set_header Host $host;\n  proxy_pass $backend${request_uri};\n}\n"

// As the entrypoint of the official image does: what is not given is left.
func TestTemplates(t *testing.T) {
	g := NewWithT(t)
	given := Env{Values: map[string]string{"LISTEN_PORT": "8080", "BACKEND_URL": "http://backend:8000"}}
	want := "server {\n  listen 8080;\n  resolver 127.0.0.11 valid=5s;\n  set $backend http://backend:8000;\n  proxy_set_header Host $host;\n  proxy_pass $backend${request_uri};\n}\n"
	for name, place := range map[string]string{
		"templates/default.conf.template": "/etc/nginx/conf.d/default.conf",
		"templates/sub/a.conf.template":   "/etc/nginx/conf.d/sub/a.conf",
		"default.conf.template":           nginxFragment,
		"shop.template":                   nginxFragment,
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := tree(name, template)
			if name == "templates/sub/a.conf.template" {
				c = tree("conf.d/b.conf", server, name, template)
			}
			c.Env = given
			c, err := c.Render()
			g.Expect(err).NotTo(HaveOccurred())
			l := laid(t, Nginx, c)
			g.Expect(l.Files).To(ContainElement(And(
				HaveField("Path", place), HaveField("Own", name), HaveField("Content", BeEquivalentTo(want)))))
		})
	}
	whole := tree("nginx.conf.template", "events {}\nhttp { server { listen $PORT; } }")
	whole.Env.Values = map[string]string{"PORT": "81"}
	whole, err := whole.Render()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(laid(t, Nginx, whole).Files[0].Content)).To(ContainSubstring("listen 81;"))
	g.Expect(places(laid(t, Nginx, whole))).To(HaveKey(nginxMain))

	filtered := tree("a.template", "${A} ${B}")
	filtered.Env.Values = map[string]string{"A": "1", "B": "2", "NGINX_ENVSUBST_FILTER": "^A$"}
	filtered, err = filtered.Render()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(filtered.Files[0].Content)).To(Equal("1 ${B}"))
	plain, err := tree("a.conf", "${LISTEN_PORT}").Render()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(plain).To(Equal(tree("a.conf", "${LISTEN_PORT}")), "it is no template")
}

func TestTemplateWithoutItsVariables(t *testing.T) {
	g := NewWithT(t)
	_, err := tree("templates/default.conf.template", template).Render()
	g.Expect(err).To(MatchError("templates/default.conf.template is a template, and LISTEN_PORT, BACKEND_URL are not set: give ENV=./file with a line NAME=value for each, or ENV='LISTEN_PORT=... BACKEND_URL=...'"))
	one := tree("a.template", "listen ${PORT}; set $UPPER x; add_header A $UPPER; log ${APACHE_LOG_DIR}")
	_, err = one.Render()
	g.Expect(err).To(MatchError(ContainSubstring("and PORT is not set")))
}
