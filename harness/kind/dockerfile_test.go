package kind

import (
	"testing"

	. "github.com/onsi/gomega"
)

// docker is a folder with a Dockerfile in it, or beside it.
func docker(within, text string, pairs ...string) Config {
	c := tree(pairs...)
	c.Docker = &Dockerfile{Name: "Dockerfile", Content: []byte(text), Within: within}
	return c
}

func TestADockerfileSaysWhereFilesGo(t *testing.T) {
	for name, tc := range map[string]struct {
		kind   Name
		config Config
		want   map[string]string
	}{
		"one file by its own name": {
			Nginx, docker(".", "FROM nginx:1.25\nCOPY prod.conf /etc/nginx/conf.d/default.conf\n", "prod.conf", server, "dev.conf", server),
			map[string]string{nginxFragment: "prod.conf"},
		},
		"into a folder that the image has": {
			Nginx, docker(".", "FROM nginx\nCOPY nginx.conf /etc/nginx\nADD a.conf b.conf /etc/nginx/conf.d\n", "nginx.conf", wholeNginx, "a.conf", server, "b.conf", server),
			map[string]string{nginxMain: "nginx.conf", "/etc/nginx/conf.d/a.conf": "a.conf", "/etc/nginx/conf.d/b.conf": "b.conf"},
		},
		"the whole folder, beside the Dockerfile": {
			Nginx, docker("nginx", "FROM nginx\nCOPY --chown=root:root \\\n  ./nginx/ /etc/nginx/\nCOPY app /srv\n", "nginx.conf", wholeNginx, "snippets/a.conf", "x"),
			map[string]string{nginxMain: "nginx.conf", "/etc/nginx/snippets/a.conf": "snippets/a.conf"},
		},
		"in JSON, by a pattern, and elsewhere": {
			Nginx, docker(".", "FROM nginx\nCOPY [\"*.conf\", \"/etc/nginx/conf.d/\"]\nCOPY certs /certs\n", "a.conf", server, "certs/a.pem", "pem", "README.md", "x"),
			map[string]string{"/etc/nginx/conf.d/a.conf": "a.conf", "/certs/a.pem": "certs/a.pem"},
		},
		"only the last stage counts": {
			Nginx, docker(".", "FROM node AS build\nCOPY a.conf /etc/nginx/conf.d/\nFROM nginx\nCOPY --from=build /app /usr/share/nginx/html\nCOPY b.conf /etc/nginx/conf.d/\n", "a.conf", server, "b.conf", server),
			map[string]string{"/etc/nginx/conf.d/b.conf": "b.conf"},
		},
		"one that copies no configuration": {
			Nginx, docker("nginx", "FROM node\nCOPY . /app\n", "a.conf", server, "b.conf", server),
			map[string]string{"/etc/nginx/conf.d/a.conf": "a.conf", "/etc/nginx/conf.d/b.conf": "b.conf"},
		},
		"Apache, as an article has it": {
			Apache, docker(".", "FROM public.ecr.aws/docker/library/httpd:2.4\nCOPY ./my-httpd.conf /usr/local/apache2/conf/httpd.conf\n", "my-httpd.conf", "Listen 80\nLoadModule x y", "compose.yaml", "x"),
			map[string]string{apacheMain: "my-httpd.conf"},
		},
		"Apache, a virtual host": {
			Apache, docker(".", "FROM httpd:2.4\nCOPY site.conf /usr/local/apache2/conf/extra/\nRUN echo Include conf/extra/site.conf >> conf/httpd.conf\n", "site.conf", vhost, "old.conf", vhost),
			map[string]string{apacheSite + "/extra/site.conf": "site.conf"},
		},
		"HAProxy": {
			HAProxy, docker(".", "FROM haproxy:3.0\nCOPY haproxy.prod.cfg /usr/local/etc/haproxy/haproxy.cfg\n", "haproxy.prod.cfg", "x", "haproxy.dev.cfg", "y"),
			map[string]string{haproxyMain: "haproxy.prod.cfg"},
		},
		"Caddy": {
			Caddy, docker(".", "FROM caddy:2\nCOPY Caddyfile.prod /etc/caddy/Caddyfile\n", "Caddyfile.prod", "x", "Caddyfile", "y"),
			map[string]string{caddyMain: "Caddyfile.prod"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(places(laid(t, tc.kind, tc.config))).To(Equal(tc.want))
		})
	}
}

// What a Dockerfile sets is known to templates and to the proxy; what is given counts more.
func TestADockerfileSetsVariables(t *testing.T) {
	g := NewWithT(t)
	c := docker(".", "FROM nginx\n# ENV NO=1\nENV PORT=8080 NAME=\"two words\"\nENV OLD form\nCOPY templates /etc/nginx/templates\n", "templates/a.conf.template", "listen ${PORT}; # ${NAME} ${OLD} ${BACKEND}")
	_, err := c.Render()
	g.Expect(err).To(MatchError(ContainSubstring("and BACKEND is not set")))
	c.Env.Values = map[string]string{"BACKEND": "b", "OLD": "new"}
	c, err = c.Render()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Environment()).To(Equal([]string{"BACKEND=b", "NAME=two words", "OLD=new", "PORT=8080"}))
	l := laid(t, Nginx, c)
	g.Expect(l.From).To(Equal("Dockerfile"))
	g.Expect(l.Files).To(ContainElement(And(HaveField("Path", "/etc/nginx/conf.d/a.conf"), HaveField("Own", "templates/a.conf.template"),
		HaveField("Content", BeEquivalentTo("listen 8080; # two words new b")))))
}
