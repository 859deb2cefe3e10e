using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using LoraServe.Serving.Requests;

namespace LoraServe.Server.Access;

/// <summary>Finds the caller behind a key.</summary>
internal sealed class CallerDirectory(AccessOptions options)
{
    private const string Prefix = AccessHandler.Scheme + " ";
    private static readonly Principal s_everyone = new("default", IsAdmin: true);

    // Looked up by digest: what an attacker can time is the comparison of hashes they cannot choose.
    private readonly FrozenDictionary<string, Principal> _callers = options.Keys.ToFrozenDictionary(
        key => key.Sha256,
        key => new Principal(key.Tenant, key.Admin),
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The caller, or why it is not known who that is: no key, several or an unknown one.</summary>
    /// <param name="authorization">The header's value; null where it is missing. HTTP joins several by commas, and none of them counts then.</param>
    public (Principal? Caller, EngineException? Refusal) Find(string? authorization)
    {
        if (_callers.Count == 0)
        {
            return (s_everyone, null);
        }

        if (authorization is null || !authorization.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return Refuse("No key. Send the metadata 'authorization: Bearer KEY'.");
        }

        string digest = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(authorization[Prefix.Length..].Trim())));
        return _callers.TryGetValue(digest, out Principal? caller) ? (caller, null)
            : authorization.Contains(',', StringComparison.Ordinal) ? Refuse("More than one key. Send one metadata entry 'authorization: Bearer KEY'.")
            : Refuse("Unknown key. Check the key, or add its SHA-256 to LoraServe:Access:Keys.");
    }

    private static (Principal?, EngineException?) Refuse(string reason) => (null, new EngineException(EngineError.Unauthenticated, reason));
}
