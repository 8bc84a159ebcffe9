package policy

import (
	"crypto/tls"
	"strings"
)

// VersionName is the name that OpenSSL, and so AWS, gives a version: TLSv1 and on.
func VersionName(version uint16) string {
	if version == 0 {
		return "-"
	}
	return strings.TrimSuffix(strings.Replace(tls.VersionName(version), "TLS ", "TLSv", 1), ".0")
}

// CipherName is the name that OpenSSL, and so AWS, gives a cipher suite.
func CipherName(id uint16) string {
	if id == 0 {
		return "-"
	}
	name := tls.CipherSuiteName(id)
	exchange, cipher, ok := strings.Cut(strings.TrimPrefix(name, "TLS_"), "_WITH_")
	if !ok {
		return name // of TLS 1.3, where the names are the same
	}
	cipher = strings.NewReplacer("AES_", "AES", "_CBC", "", "_", "-").Replace(cipher)
	if exchange == "RSA" {
		return cipher
	}
	return strings.ReplaceAll(exchange, "_", "-") + "-" + cipher
}

// classicExchanges are the names of field 13 for key exchanges of the present: those
// of OpenSSL (G). The hybrid ones have the same names in Go as in AWS's guide (D).
var classicExchanges = map[tls.CurveID]string{
	0: "-", tls.X25519: "x25519", tls.CurveP256: "secp256r1", tls.CurveP384: "secp384r1", tls.CurveP521: "secp521r1",
}

// ExchangeName is the name of a key exchange in the connection log.
func ExchangeName(id tls.CurveID) string {
	if name, ok := classicExchanges[id]; ok {
		return name
	}
	return id.String()
}
