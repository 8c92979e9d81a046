package httpserver

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// checkPause is the shortest time between two looks at the files of a certificate.
const checkPause = time.Second

// Certificate is a certificate with its key, loaded again after one of its files has changed. What can't be loaded is
// logged, and the previous certificate stays.
type Certificate struct {
	certFile, keyFile string
	log               zerolog.Logger

	mu      sync.Mutex
	loaded  *tls.Certificate
	version [2]fileVersion
	checked time.Time
}

// fileVersion changes when a file is written or replaced.
type fileVersion struct {
	modified time.Time
	size     int64
}

// LoadCertificate loads a certificate chain and its key from PEM files.
func LoadCertificate(certFile, keyFile string, log zerolog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log, checked: time.Now()}
	c.version = c.versions()
	return c, c.load()
}

// Config returns the configuration of listeners with this certificate: TLS 1.2 or later.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}
}

// Reload loads the files again at the next handshake.
func (c *Certificate) Reload() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version, c.checked = [2]fileVersion{}, time.Time{}
}

// current returns the certificate of the files as they were checkPause ago, or later.
func (c *Certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) < checkPause {
		return c.loaded
	}
	c.checked = time.Now()
	versions := c.versions()
	if versions == c.version {
		return c.loaded
	}
	c.version = versions
	if err := c.load(); err != nil { // perhaps one of two files has been replaced: the other one changes its version
		c.log.Error().Err(err).Msg("the certificate was not loaded again; the previous one stays in use")
	} else {
		c.log.Info().Str("file", c.certFile).Time("expires", c.loaded.Leaf.NotAfter).Msg("the certificate was loaded again")
	}
	return c.loaded
}

func (c *Certificate) load() error {
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.loaded = &loaded
	return nil
}

// versions returns the versions of both files; zero stands for a file that can't be read.
func (c *Certificate) versions() (versions [2]fileVersion) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			versions[i] = fileVersion{info.ModTime(), info.Size()}
		}
	}
	return versions
}
