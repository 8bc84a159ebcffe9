package kind

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// apacheModule is a module of Apache's distribution that the base of a fragment does not load,
// and what tells that a fragment needs it.
type apacheModule struct {
	name       string
	directives string         // in lower case, between spaces
	line       *regexp.Regexp // of a line that needs it otherwise; nil for none
}

func (m apacheModule) wanted(l apacheLine) bool {
	return slices.Contains(strings.Fields(m.directives), strings.TrimPrefix(l.name, "<")) || m.line != nil && m.line.MatchString(l.text)
}

func matching(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)` + pattern) }

// apacheModules are in an order in which they can be loaded. Their directives are those
// of httpd's own documentation, 2.4.
var apacheModules = []apacheModule{
	{"log_config", "customlog transferlog logformat globallog bufferedlogs cookielog", nil},
	{"logio", "logiotrackttfb", matching(`%\^?[>]?(?:\{[^}]*\})?[IOS]\b`)},
	{"version", "ifversion", nil},
	{"watchdog", "watchdoginterval", matching(`\bhcmethod=|\bhcexpr=|^MD`)},
	{"alias", "alias aliasmatch aliaspreservepath redirect redirectmatch redirecttemp redirectpermanent redirectrelative scriptalias scriptaliasmatch", nil},
	{"env", "setenv unsetenv passenv", nil},
	{"mime", "addtype addhandler addencoding addcharset addlanguage addinputfilter addoutputfilter defaultlanguage modmimeusepathinfo multiviewsmatch removehandler removetype removeencoding removecharset removeinputfilter removelanguage removeoutputfilter typesconfig", nil},
	{"dir", "directoryindex directoryslash directorycheckhandler directoryindexredirect fallbackresource", nil},
	{"access_compat", "order allow deny satisfy", nil},
	{"authz_host", "", matching(`^Require\s+(?:not\s+)?(?:ip|host|local|forward-dns)\b`)},
	{"authn_core", "authtype authname authnprovideralias", matching(`^Require\s+(?:not\s+)?(?:valid-user|user|group)\b`)},
	{"authn_file", "authuserfile", nil},
	{"authz_user", "", matching(`^Require\s+(?:not\s+)?(?:valid-user|user)\b`)},
	{"authz_groupfile", "authgroupfile", matching(`^Require\s+(?:not\s+)?group\b`)},
	{"auth_basic", "authbasicprovider authbasicauthoritative authbasicfake authbasicusedigestalgorithm", matching(`^AuthType\s+"?Basic`)},
	{"auth_digest", "authdigestprovider authdigestdomain authdigestnoncelifetime authdigestqop authdigestalgorithm authdigestshmemsize", matching(`^AuthType\s+"?Digest`)},
	{"remoteip", "remoteipheader remoteipinternalproxy remoteipinternalproxylist remoteiptrustedproxy remoteiptrustedproxylist remoteipproxiesheader remoteipproxyprotocol remoteipproxyprotocolexceptions", nil},
	{"reqtimeout", "requestreadtimeout", nil},
	{"unique_id", "", matching(`UNIQUE_ID`)},
	{"expires", "expiresactive expiresbytype expiresdefault", nil},
	{"filter", "addoutputfilterbytype filterchain filterdeclare filterprotocol filterprovider filtertrace", nil},
	{"deflate", "deflatebuffersize deflatecompressionlevel deflatefilternote deflateinflatelimitrequestbody deflateinflateratiolimit deflateinflateratioburst deflatememlevel deflatewindowsize deflatealteretag", matching(`\b(?:DEFLATE|INFLATE)\b`)},
	{"brotli", "brotlicompressionquality brotlicompressionwindow brotlicompressionmaxinputblock brotlifilternote brotlialteretag", matching(`\bBROTLI_COMPRESS\b`)},
	{"substitute", "substitute substituteinheritbefore substitutemaxlinelength", matching(`\bSUBSTITUTE\b`)},
	{"sed", "inputsed outputsed", nil},
	{"ratelimit", "", matching(`\bRATE_LIMIT\b`)},
	{"request", "keptbodysize", nil},
	{"buffer", "buffersize", nil},
	{"include", "ssiendtag ssierrormsg ssietag ssilastmodified ssilegacyexprparser ssistarttag ssitimeformat ssiundefinedecho xbithack", matching(`\bINCLUDES\b`)},
	{"ext_filter", "extfilterdefine extfilteroptions", nil},
	{"macro", "macro use undefmacro", nil},
	{"actions", "action script", nil},
	{"allowmethods", "allowmethods", nil},
	{"negotiation", "cachenegotiateddocs forcelanguagepriority languagepriority", nil},
	{"autoindex", "addalt addaltbyencoding addaltbytype adddescription addicon addiconbyencoding addiconbytype defaulticon headername indexheadinsert indexignore indexignorereset indexoptions indexorderdefault indexstylesheet readmename", nil},
	{"status", "", matching(`\bserver-status\b|^ExtendedStatus\b`)},
	{"info", "addmoduleinfo", matching(`\bserver-info\b`)},
	{"speling", "checkspelling checkcaseonly checkbasenamematch", nil},
	{"userdir", "userdir", nil},
	{"usertrack", "cookiedomain cookieexpires cookieformat cookieheader cookiehttponly cookiename cookiesamesite cookiesecure cookiestyle cookietracking", nil},
	{"vhost_alias", "virtualdocumentroot virtualdocumentrootip virtualscriptalias virtualscriptaliasip", nil},
	{"log_debug", "logmessage", nil},
	{"log_forensic", "forensiclog", nil},
	{"cgid", "scriptlog scriptlogbuffer scriptloglength scriptsock cgidscripttimeout", matching(`\bExecCGI\b|\bcgi-script\b`)},
	{"session", "session sessionenv sessionexclude sessionheader sessioninclude sessionmaxage sessionexpiryupdateinterval", nil},
	{"session_cookie", "sessioncookiename sessioncookiename2 sessioncookieremove", nil},
	{"session_crypto", "sessioncryptocipher sessioncryptodriver sessioncryptopassphrase sessioncryptopassphrasefile", nil},
	{"auth_form", "authformprovider authformauthoritative authformbody authformdisablenostore authformfakebasicauth authformlocation authformloginrequiredlocation authformloginsuccesslocation authformlogoutlocation authformmethod authformmimetype authformpassword authformsitepassphrase authformsize authformusername", nil},
	{"ldap", "ldapcacheentries ldapcachettl ldapconnectionpoolttl ldapconnectiontimeout ldaplibrarydebug ldapopcacheentries ldapopcachettl ldapreferralhoplimit ldapreferrals ldapretries ldapretrydelay ldapsharedcachefile ldapsharedcachesize ldaptimeout ldaptrustedclientcert ldaptrustedglobalcert ldaptrustedmode ldapverifyservercert", matching(`^AuthLDAP|\bldap-`)},
	{"authnz_ldap", "", matching(`^AuthLDAP|\bldap-`)},
	{"socache_shmcb", "", matching(`\bshmcb:|\bshmcb\b`)},
	{"socache_dbm", "", matching(`\bdbm:`)},
	{"socache_memcache", "", matching(`\bmemcache:`)},
	{"socache_redis", "", matching(`\bredis:`)},
	{"cache", "cacheenable cachedisable cachedefaultexpire cachedetailheader cacheheader cacheignorecachecontrol cacheignoreheaders cacheignorenolastmod cacheignorequerystring cacheignoreurlsessionidentifiers cachekeybaseurl cachelastmodifiedfactor cachelock cachelockmaxage cachelockpath cachemaxexpire cacheminexpire cachequickhandler cachestaleonerror cachestoreexpired cachestorenostore cachestoreprivate", nil},
	{"cache_disk", "cachedirlength cachedirlevels cachemaxfilesize cacheminfilesize cachereadsize cachereadtime cacheroot", nil},
	{"cache_socache", "cachesocache cachesocachemaxsize cachesocachemaxtime cachesocachemintime cachesocachereadsize cachesocachereadtime", nil},
	{"http2", "h2copyfiles h2direct h2earlyhint h2earlyhints h2maxdataframelen h2maxheaderblocklen h2maxsessionstreams h2maxworkeridleseconds h2maxworkers h2minworkers h2moderntlsonly h2outputbuffering h2padding h2proxyrequests h2push h2pushdiarysize h2pushpriority h2pushresource h2serializeheaders h2streammaxmemsize h2streamtimeout h2tlscooldownsecs h2tlswarmupsize h2upgrade h2websockets h2windowsize", matching(`^Protocols\s.*\bh2c?\b`)},
	{"md", "<mdomain mdomain mdomainset <mdomainset", matching(`^MD`)},
	{"slotmem_plain", "", matching(`\bslotmem_plain\b`)},
	{"heartmonitor", "heartbeatlisten heartbeatstorage", matching(`^HeartbeatMaxServers\b`)},
	{"lbmethod_heartbeat", "", matching(`\bheartbeat\b`)},
	{"proxy_hcheck", "proxyhctemplate proxyhcexpr proxyhctpsize", matching(`\bhcmethod=`)},
	{"proxy_ajp", "", matching(`\bajp://`)},
	{"proxy_fcgi", "proxyfcgibackendtype proxyfcgisetenvif", matching(`\bfcgi://`)},
	{"proxy_scgi", "proxyscgiinternalredirect proxyscgisendfile", matching(`\bscgi://`)},
	{"proxy_uwsgi", "", matching(`\buwsgi://`)},
	{"proxy_wstunnel", "", matching(`\bwss?://`)},
	{"proxy_http2", "", matching(`\bh2c?://`)},
	{"proxy_connect", "allowconnect", nil},
	{"proxy_ftp", "proxyftpdircharset proxyftpescapewildcards proxyftplistonwildcard", matching(`\bftp://`)},
	{"proxy_express", "proxyexpressdbmfile proxyexpressdbmtype proxyexpressenable", nil},
	{"xml2enc", "xml2encdefault xml2encalias xml2startparse", matching(`^ProxyHTML`)},
	{"proxy_html", "", matching(`^ProxyHTML|\bproxy-html\b`)},
	{"lua", "", matching(`^Lua`)},
	{"suexec", "suexecusergroup", nil},
	{"asis", "", matching(`\bsend-as-is\b`)},
	{"charset_lite", "charsetdefault charsetoptions charsetsourceenc", nil},
	{"cern_meta", "metadir metafiles metasuffix", nil},
	{"dumpio", "dumpioinput dumpiooutput", nil},
	{"file_cache", "cachefile mmapfile", nil},
	{"heartbeat", "heartbeataddress", nil},
	{"ident", "identitycheck identitychecktimeout", nil},
	{"imagemap", "imapbase imapdefault imapmenu", nil},
	{"reflector", "reflectorheader", nil},
	{"dav", "dav davdepthinfinity davmintimeout", nil},
	{"dav_fs", "davlockdb", matching(`^Dav\s+(?:on|filesystem)\b`)},
	{"dav_lock", "davgenericlockdb", nil},
	{"authn_anon", "anonymous anonymous_logemail anonymous_mustgiveemail anonymous_nouserid anonymous_verifyemail", nil},
	{"authn_socache", "authncachecontext authncacheenable authncacheprovidefor authncachesocache authncachetimeout", nil},
	{"authn_dbm", "authdbmtype authdbmuserfile", nil},
	{"authz_dbm", "authdbmgroupfile authzdbmtype", nil},
	{"authz_owner", "", matching(`^Require\s+(?:not\s+)?file-(?:owner|group)\b`)},
	{"dbd", "dbdexptime dbdinitsql dbdkeep dbdmax dbdmin dbdparams dbdpersist dbdpreparesql dbdriver", nil},
	{"authn_dbd", "authdbduserpwquery authdbduserrealmquery", nil},
	{"authz_dbd", "authzdbdlogintoreferer authzdbdquery authzdbdredirectquery", nil},
	{"session_dbd", "sessiondbdcookiename sessiondbdcookiename2 sessiondbdcookieremove sessiondbddeletelabel sessiondbdinsertlabel sessiondbdperuser sessiondbdselectlabel sessiondbdupdatelabel", nil},
}

// apacheLoads are the lines that load what the fragments need and the base does not load.
// What a program has built in is not loaded again.
func apacheLoads(lines []apacheLine) string {
	var loads strings.Builder
	for _, m := range apacheModules {
		if slices.ContainsFunc(lines, m.wanted) {
			fmt.Fprintf(&loads, "<IfModule !%[1]s_module>\nLoadModule %[1]s_module modules/mod_%[1]s.so\n</IfModule>\n", m.name)
		}
	}
	return loads.String()
}
