package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"junctor/pkg/testutil"
)

// writeCertificate writes a certificate for 127.0.0.1 with a serial number, and its key.
func writeCertificate(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "junctor"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, certFile, "CERTIFICATE", der)
	writePEM(t, keyFile, "PRIVATE KEY", keyDER)
}

// writePEM replaces a file at once, as certbot does.
func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// TestTLS: both listeners speak TLS and HTTP/2, and a certificate whose files are replaced is used without a restart.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, certFile, keyFile, 1)
	s := begin(t, nil, "--store", "memory:", "--tls-cert", certFile, "--tls-key", keyFile,
		"--metrics-listen", "127.0.0.1:0")
	s.await()
	if !strings.HasPrefix(s.url, "https://") {
		t.Errorf("ready: %s", s.url)
	}
	before, _, _ := strings.Cut(s.stderr.String(), `/metrics"`)
	metrics := before[strings.LastIndex(before, `"`)+1:]

	get := func(url string, most uint16) (serial int64, proto string, err error) {
		client := &http.Client{Transport: &http.Transport{
			ForceAttemptHTTP2: true, DisableKeepAlives: true,
			// The certificate is its own authority, and another one each time.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: most}, //nolint:gosec // see above
		}}
		resp, err := client.Get(url)
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", url, resp.Status)
		}
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64(), resp.Proto, nil
	}
	for _, url := range []string{s.url + "/healthz", metrics + "/metrics"} {
		if serial, proto, err := get(url, 0); serial != 1 || proto != "HTTP/2.0" || err != nil {
			t.Errorf("%s: certificate %d, %s, %v", url, serial, proto, err)
		}
		if _, _, err := get(url, tls.VersionTLS11); err == nil {
			t.Errorf("%s: TLS 1.1 is accepted", url)
		}
		if resp, err := http.Get(strings.Replace(url, "https:", "http:", 1)); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%s without TLS: %s", url, resp.Status)
			}
		}
	}
	writePEM(t, certFile, "CERTIFICATE", []byte("no certificate"))
	testutil.Eventually(t, "the log to name the damaged file", func() bool {
		serial, _, err := get(s.url+"/healthz", 0)
		if serial != 1 || err != nil {
			t.Fatalf("with a damaged file: certificate %d, %v", serial, err)
		}
		return s.logs("the certificate was not loaded again")
	})
	writeCertificate(t, certFile, keyFile, 2)
	testutil.Eventually(t, "the new certificate", func() bool {
		serial, _, err := get(s.url+"/healthz", 0)
		return serial == 2 && err == nil
	})
	o := call(t, nil, "serve", "--store", "memory:", "--tls-cert", "no-cert.pem", "--tls-key", "no-key.pem")
	if o.code != 1 || !strings.Contains(o.stderr, "certificate no-cert.pem with key no-key.pem") {
		t.Errorf("without the files: %+v", o)
	}
}
