package api_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// secrets is what must be in no log: tokens, keys, passwords, hashes, and what they are made of.
var secrets sync.Map // string > struct{}

// keep keeps a secret out of the log.
func keep(secret string) {
	if secret != "" {
		secrets.Store(secret, struct{}{})
	}
}

// recordedSecrets match those in the recordings and the recorded documents; the last group is the secret.
var recordedSecrets = []*regexp.Regexp{
	regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`),
	regexp.MustCompile(`Basic ([A-Za-z0-9+/=]{16,})`),
	regexp.MustCompile(`(?:credentials|api_key|cpaas_token|md5_auth|sha1_auth)\\?": ?\\?"(\w{32,})`),
	regexp.MustCompile(`(?:pvt_signature_secret|secret_for_user_signature)": ?"(\w{32})`),
	regexp.MustCompile(`"data": ?"(LS0t[A-Za-z0-9+/=]+)"`), // a private key
}

// keepRecorded keeps them all.
func keepRecorded() error {
	files, err := filepath.Glob("testdata/*/*.json*")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, kind := range recordedSecrets {
			for _, match := range kind.FindAllSubmatch(text, -1) {
				keep(string(match[len(match)-1]))
			}
		}
	}
	return nil
}

// leaked returns the secrets in a text.
func leaked(text string) (found []string) {
	secrets.Range(func(secret, _ any) bool {
		if strings.Contains(text, secret.(string)) {
			found = append(found, secret.(string))
		}
		return true
	})
	return found
}
