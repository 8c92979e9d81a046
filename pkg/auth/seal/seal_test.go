package seal_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"junctor/pkg/auth/seal"
)

const (
	cluster = "c6859db6813a0a4507b07b3491e1d9e6"
	other   = "0766c6d3a0cf0a0f293e7c8cf0bdcab5"
	secret  = "667eb8ad78181282ae4d609e6a33ef08634f3dfc3819b5edc9478a96b338ddb0"
)

// keyText returns a key as it is written down, all its bytes b.
func keyText(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }

func parse(t *testing.T, text string) *seal.Key {
	t.Helper()
	key, err := seal.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSealed(t *testing.T) {
	t.Parallel()
	key := parse(t, keyText(7)+"\n")
	for _, secret := range []string{secret, "", "a", "ключ\x00", strings.Repeat("long", 5000)} {
		sealed := key.Seal(secret, cluster)
		if !strings.HasPrefix(sealed, "v1:") {
			t.Errorf("no version in %.80s", sealed)
		}
		if sealed == key.Seal(secret, cluster) {
			t.Errorf("%.80q is sealed the same way twice", secret)
		}
		if secret != "" && strings.Contains(sealed, base64.StdEncoding.EncodeToString([]byte(secret))) {
			t.Errorf("%.80q stands in what is sealed", secret)
		}
		if got, err := parse(t, keyText(7)).Open(sealed, cluster); err != nil || got != secret {
			t.Errorf("got %.80q, %v, want %.80q", got, err, secret)
		}
	}
}

func TestSealedFor(t *testing.T) {
	t.Parallel()
	key := parse(t, keyText(7))
	sealed := key.Seal(secret, cluster)
	_, code, _ := strings.Cut(sealed, ":")
	for name, open := range map[string]func() (string, error){
		"another key":     func() (string, error) { return parse(t, keyText(8)).Open(sealed, cluster) },
		"another cluster": func() (string, error) { return key.Open(sealed, other) },
		"no version":      func() (string, error) { return key.Open(code, cluster) },
		"a later version": func() (string, error) { return key.Open("v2:"+code, cluster) },
		"nothing":         func() (string, error) { return key.Open("", cluster) },
		"only a version":  func() (string, error) { return key.Open("v1:", cluster) },
		"too short":       func() (string, error) { return key.Open(sealed[:20], cluster) },
		"plain text":      func() (string, error) { return key.Open(secret, cluster) },
	} {
		if got, err := open(); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestAltered(t *testing.T) {
	t.Parallel()
	key := parse(t, keyText(7))
	sealed := key.Seal(secret, cluster)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sealed, "v1:"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		if got, err := key.Open("v1:"+base64.StdEncoding.EncodeToString(raw), cluster); err == nil {
			t.Errorf("with byte %d altered it opens as %q", i, got)
		}
		raw[i] ^= 1
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	long := keyText(7)
	for name, text := range map[string]string{
		"nothing": "", "text": "a secret that is no key", "too short": long[4:], "too long": long + "AAAA",
		"hex": strings.Repeat("07", 32), "no padding": strings.TrimRight(long, "="), "two": long + long,
	} {
		if _, err := seal.Parse(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "state", "secret.key")
	made, err := seal.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("made %v, %v", info.Mode(), err)
	}
	again, err := seal.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(made.Seal(secret, cluster), cluster); err != nil || got != secret {
		t.Errorf("read again, the key opens %q, %v", got, err)
	}
	next, err := seal.ReadFile(name + ".next")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := next.Open(made.Seal(secret, cluster), cluster); err == nil {
		t.Error("two files have the same key")
	}
}

func TestOneFileForAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "secret.key")
	sealed := make([]string, 8)
	var wg sync.WaitGroup
	for i := range sealed {
		wg.Go(func() {
			key, err := seal.ReadFile(name)
			if err != nil {
				t.Error(err)
				return
			}
			sealed[i] = key.Seal(secret, cluster)
		})
	}
	wg.Wait()
	key, err := seal.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range sealed {
		if _, err := key.Open(text, cluster); err != nil {
			t.Error("some were handed another key than the one that stays")
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left %v, %v", files, err)
	}
}

func TestBadFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		return name
	}
	for _, file := range []string{
		write("group", keyText(7), 0o640),
		write("others", keyText(7), 0o604),
		write("writers", keyText(7), 0o602),
		write("empty", "", 0o600),
		write("garbage", strings.Repeat("x", 500), 0o600),
		write("two keys", keyText(7)+"\n"+keyText(8), 0o600),
		dir,
		filepath.Join(write("file", "", 0o600), "below"),
	} {
		if _, err := seal.ReadFile(file); err == nil {
			t.Errorf("%s is taken for a key", file)
		} else if strings.Contains(err.Error(), keyText(7)) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	if _, err := seal.ReadFile(write("good", keyText(7), 0o400)); err != nil {
		t.Error(err)
	}
}
