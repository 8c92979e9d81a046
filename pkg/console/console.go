// Package console serves the web console: a page that a browser runs against the API, and its script and style.
//
// The source is in web/, in TypeScript. "make console" builds it into dist/, which is embedded in the binary. Without that
// the binary has a page that says how to build it. The files are the same for everybody: the package knows neither tokens
// nor accounts, and the page does nothing that the API does not allow to the token it has.
package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed placeholder.html
var placeholder []byte

// all: includes dist/.gitignore, without which there would be nothing to embed before the console is built.
//
//go:embed all:dist
var dist embed.FS

// Root is the path that the console is served below.
const Root = "/console/"

// views are the paths below Root that the page shows something of its own for. They are one segment long, so that the
// relative URLs in the page lead to the same files from each of them, also below a prefix that a proxy removes.
var views = []string{"", "addresses", "import", "accounts", "clusters", "history", "health"}

// policy allows the page its own script, style and requests to its own origin, and nothing else: no script in the text of
// the page, no frame around it, no markup made from text.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Options are what the page is told about its server.
type Options struct {
	// IssueTokens says whether users and API keys can log in at this server. If not, the page asks for a token.
	IssueTokens bool
}

// Built reports whether the binary has the console, rather than the page that says how to build it.
func Built() bool {
	_, err := fs.Stat(dist, "dist/index.html")
	return err == nil
}

// Handlers returns a handler for each path below Root, Root included.
func Handlers(o Options) map[string]http.Handler {
	handlers := map[string]http.Handler{}
	for name, f := range files(o) {
		mux := http.NewServeMux() // for the methods
		mux.Handle("GET "+Root+name, f)
		handlers[Root+name] = mux
	}
	return handlers
}

// files returns what is served, by path below Root.
func files(o Options) map[string]*file {
	all := map[string]*file{}
	if !Built() {
		for _, view := range views {
			all[view] = newFile("index.html", placeholder, false)
		}
		return all
	}
	_ = fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		text, err := dist.ReadFile(name)
		below := strings.TrimPrefix(name, "dist/")
		all[below] = newFile(below, text, strings.HasPrefix(below, "assets/"))
		return err
	})
	page := all["index.html"].plain
	if !o.IssueTokens {
		page = bytes.Replace(page, []byte(`data-issue-tokens="true"`), []byte(`data-issue-tokens="false"`), 1)
	}
	for _, view := range views {
		all[view] = newFile("index.html", page, false)
	}
	delete(all, "index.html")
	return all
}

// file is one file that is served.
type file struct {
	plain     []byte
	zipped    func() []byte
	mediaType string
	tag       string // hash of the content
	forever   bool   // the name has a hash of the content in it
}

func newFile(name string, text []byte, forever bool) *file {
	hash := sha256.Sum256(text)
	return &file{
		plain: text, forever: forever,
		zipped:    sync.OnceValue(func() []byte { return compress(text) }),
		mediaType: mime.TypeByExtension(path.Ext(name)),
		tag:       base64.RawURLEncoding.EncodeToString(hash[:12]),
	}
}

func compress(text []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(text)
	_ = w.Close()
	return b.Bytes()
}

// ServeHTTP responds with the file.
func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	maps.Copy(h, fixedHeaders)
	h.Set("Content-Type", f.mediaType)
	h.Set("Cache-Control", "no-cache")
	if f.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	text, tag := f.plain, f.tag
	if acceptsGzip(r) {
		text, tag = f.zipped(), f.tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Etag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// fixedHeaders are in each response with a file. Their lists are shared and never changed.
var fixedHeaders = http.Header{
	"Content-Security-Policy":      {policy},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Referrer-Policy":              {"no-referrer"},
	"Vary":                         {"Accept-Encoding"},
	"X-Content-Type-Options":       {"nosniff"},
	"X-Frame-Options":              {"DENY"},
}

// acceptsGzip reports whether the client accepts gzip by name.
func acceptsGzip(r *http.Request) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ","), func(c string) bool {
		name, weight, _ := strings.Cut(strings.ReplaceAll(c, " ", ""), ";")
		return name == "gzip" && strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || name == "gzip" && weight == ""
	})
}
