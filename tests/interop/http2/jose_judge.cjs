// jose as the judge of a provider token:  jose_judge.cjs TOKEN PUBLIC_KEY_PEM
// Prints {header, claims} of a token that it accepts, and ends with 1 and its reason on stderr for any other.
const {importSPKI, jwtVerify} = require('jose');

const [token, pem] = process.argv.slice(2);
importSPKI(pem, 'ES256')
  .then((key) => jwtVerify(token, key, {algorithms: ['ES256']}))
  .then(({protectedHeader, payload}) => console.log(JSON.stringify({header: protectedHeader, claims: payload})))
  .catch((error) => { console.error(String(error)); process.exitCode = 1; });
