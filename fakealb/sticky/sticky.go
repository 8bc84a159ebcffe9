// Package sticky makes and reads the cookies with which an Application Load
// Balancer keeps a client at one target (3.4.5, 3.4.6 of the project's aws-facts).
//
// Their values are encrypted, so that nobody builds on what is in them.
package sticky

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The names of an ALB's cookies. Each but the application cookie has a twin for
// cross-origin requests.
const (
	TargetCookie = "AWSALB"   // duration-based stickiness
	GroupCookie  = "AWSALBTG" // target group stickiness of a forward action
	cors         = "CORS"
	appCookie    = "AWSALBAPP-" // and the number of the shard
)

const (
	// Expiry is how long a client keeps a cookie, whatever the duration of the
	// stickiness: 7 days, before scaling (3.4.5 O).
	Expiry = 7 * 24 * time.Hour

	shards    = 4
	shardSize = 4096 // of a value (3.4.6 D)
	removed   = "_remove_"
)

// Session is what a cookie says: a target of a group, or with the group cookie
// the group alone.
type Session struct {
	Group  string    `json:"g"`
	Target string    `json:"t,omitempty"`
	At     time.Time `json:"at"` // when the cookie was made
}

// Key encrypts cookies. All nodes of a load balancer have the same one.
type Key struct{ aead cipher.AEAD }

// NewKey returns a key of its own.
func NewKey() *Key {
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // never fails
	block, err := aes.NewCipher(secret)
	if err != nil {
		panic(err) // the length is right
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // a block of AES has the right size
	}
	return &Key{aead}
}

// seal encrypts sessions for the cookie of that name.
func (k *Key) seal(name string, sessions []Session) string {
	plain, _ := json.Marshal(sessions) // plain structs do not fail
	//nolint:gosec // the nonce is random and its own doing
	sealed := k.aead.Seal(nil, nil, plain, []byte(name))
	return base64.StdEncoding.EncodeToString(sealed)
}

// open decrypts a value. What was not sealed for that name is no session.
func (k *Key) open(name, value string) []Session {
	sealed, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return nil
	}
	plain, err := k.aead.Open(nil, nil, sealed, []byte(name))
	if err != nil {
		return nil
	}
	var sessions []Session
	if json.Unmarshal(plain, &sessions) != nil {
		return nil
	}
	return sessions
}

// Read returns the session of a target or group cookie. If both twins came, that
// for cross-origin requests counts (3.4.5 D).
func (k *Key) Read(req *http.Request, name string) (Session, bool) {
	value, ok := cookie(req, name+cors)
	if !ok {
		if value, ok = cookie(req, name); !ok {
			return Session{}, false
		}
	}
	if s := k.open(name, value); len(s) == 1 {
		return s[0], true
	}
	return Session{}, false
}

// Set are the values of Set-Cookie for a target or group cookie: both twins, the
// one for cross-origin requests with SameSite=None and, over TLS, Secure.
func (k *Key) Set(name string, s Session, expires time.Time, tls bool) []string {
	value := k.seal(name, []Session{s})
	twin := set(name+cors, value, expires) + "; SameSite=None"
	if tls {
		twin += "; Secure"
	}
	return []string{set(name, value, expires), twin}
}

// ReadApp returns the sessions of the application cookie, one for each group, put
// together from its shards.
func (k *Key) ReadApp(req *http.Request) []Session {
	var value strings.Builder
	for i := range shards {
		part, ok := cookie(req, appCookie+strconv.Itoa(i))
		if !ok || part == removed {
			break
		}
		value.WriteString(part)
	}
	return k.open(appCookie, value.String())
}

// SetApp are the values of Set-Cookie for the application cookie: the shards that
// it takes, and the others with the value _remove_ (3.4.6 O). Of more sessions than
// four shards hold the first ones are left out.
func (k *Key) SetApp(sessions []Session, expires time.Time, userAgent string) []string {
	value := k.seal(appCookie, sessions)
	for len(value) > shards*shardSize {
		sessions = sessions[1:]
		value = k.seal(appCookie, sessions)
	}
	crossOrigin := ""
	if chromium80(userAgent) {
		crossOrigin = "; SameSite=None; Secure"
	}
	var out []string
	for i := range shards {
		part := value[:min(len(value), shardSize)]
		value = value[len(part):]
		if part == "" {
			part = removed
		}
		out = append(out, set(appCookie+strconv.Itoa(i), part, expires)+crossOrigin)
	}
	return out
}

// chromium80 reports whether the browser needs SameSite=None (3.4.6 D).
func chromium80(userAgent string) bool {
	_, rest, ok := strings.Cut(userAgent, "Chrome/")
	if !ok {
		_, rest, ok = strings.Cut(userAgent, "Chromium/")
	}
	major, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(major)
	return ok && err == nil && n >= 80
}

func set(name, value string, expires time.Time) string {
	return name + "=" + value + "; Expires=" + expires.UTC().Format(http.TimeFormat) + "; Path=/"
}

// cookie returns the first value of that name, as it came: values are not URL
// encoded (3.4.6 D).
func cookie(req *http.Request, name string) (string, bool) {
	for _, line := range req.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			if n, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && n == name {
				return value, true
			}
		}
	}
	return "", false
}

// Has reports whether the request has a cookie of that name.
func Has(req *http.Request, name string) bool {
	_, ok := cookie(req, name)
	return ok
}

// Sets reports whether a target's response sets a cookie of that name.
func Sets(h http.Header, name string) bool {
	for _, line := range h["Set-Cookie"] {
		if n, _, ok := strings.Cut(line, "="); ok && strings.TrimSpace(n) == name {
			return true
		}
	}
	return false
}
