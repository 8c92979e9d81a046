package remote

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
)

// Trust makes the Introspector believe servers with a certificate.
func (i *Introspector) Trust(c *x509.Certificate) {
	pool := x509.NewCertPool()
	pool.AddCert(c)
	i.client.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
}
