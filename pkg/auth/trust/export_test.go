package trust

// Normalize is normalize.
var Normalize = NormalizeURL
