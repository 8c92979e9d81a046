package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"junctor/pkg/httpserver"
)

// loadCertificate loads the certificate of --tls-cert; nil without one.
func (f *serveFlags) loadCertificate(log zerolog.Logger) (*httpserver.Certificate, error) {
	if f.tlsCert == "" {
		return nil, nil
	}
	return httpserver.LoadCertificate(f.tlsCert, f.tlsKey, log)
}

// secured gives h the certificate of the server, if it has one.
func (s *server) secured(h *http.Server) *http.Server {
	if s.certificate != nil {
		h.TLSConfig = s.certificate.Config()
	}
	return h
}

// reload loads the certificate, and the log level of the configuration file, again at each SIGHUP, until ctx ends.
func (s *server) reload(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.hangups:
		}
		if s.certificate != nil {
			s.certificate.Reload()
		}
		if err := s.reloadLevel(); err != nil {
			s.log.Error().Err(err).Msg("SIGHUP: the log level stays as it is; correct the file and send SIGHUP again")
			continue
		}
		s.log.Info().Msg("SIGHUP: the certificate and the log level of the configuration file are loaded again")
	}
}

// reloadLevel sets the log level to that of the configuration file, unless the command line or the environment has one.
func (c *cli) reloadLevel(flags *pflag.FlagSet) error {
	level := flags.Lookup("log-level")
	if c.given[level.Name] {
		return nil
	}
	settings := map[string]string{}
	if path := flags.Lookup(configFlag).Value.String(); path != "" {
		var err error
		if settings, err = readConfig(path, flags); err != nil {
			return err
		}
	}
	name := cmp.Or(settings[level.Name], level.DefValue)
	if err := checkChoice(level, name); err != nil {
		return fmt.Errorf("log-level: %w", err)
	}
	setLevel(name)
	return nil
}

// notifyManager tells the service manager that started the process, if it wants to know (systemd: Type=notify), that a
// state of the server has begun.
func (s *server) notifyManager(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn().Err(err).Msg("the service manager can't be notified")
	}
}
