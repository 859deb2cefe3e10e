using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using LoraServe.Serving;

namespace LoraServe.Server.Access;

/// <summary>Finds the caller behind a key.</summary>
internal sealed class CallerDirectory(AccessOptions options)
{
    private const string Scheme = "Bearer ";
    private static readonly Principal s_everyone = new("default", IsAdmin: true);

    // Looked up by digest: what an attacker can time is the comparison of hashes they cannot choose.
    private readonly FrozenDictionary<string, Principal> _callers = options.Keys.ToFrozenDictionary(
        key => key.Sha256,
        key => new Principal(key.Tenant, key.Admin),
        StringComparer.OrdinalIgnoreCase);

    /// <param name="authorization">The header's value; null where it is missing. HTTP joins several by commas, and none of them counts then.</param>
    /// <exception cref="RpcException">UNAUTHENTICATED: no key, several or an unknown one.</exception>
    public Principal Find(string? authorization)
    {
        if (_callers.Count == 0)
        {
            return s_everyone;
        }

        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            throw new RpcException(new Status(StatusCode.Unauthenticated, "No key. Send the metadata 'authorization: Bearer KEY'."));
        }

        string digest = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(authorization[Scheme.Length..].Trim())));
        return _callers.TryGetValue(digest, out Principal? caller)
            ? caller
            : throw new RpcException(new Status(StatusCode.Unauthenticated, authorization.Contains(',', StringComparison.Ordinal)
                ? "More than one key. Send one metadata entry 'authorization: Bearer KEY'."
                : "Unknown key. Check the key, or add its SHA-256 to LoraServe:Access:Keys."));
    }
}
