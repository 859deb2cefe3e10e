using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LoraServe.Serving.Cache;

/// <summary>Whose keys and values they are, and everything but tokens that they depend on, as a number that only equal things share: the leading bits of a SHA-256.</summary>
internal static class PrefixSalt
{
    /// <summary>The base model alone, of everybody.</summary>
    public static UInt128 BaseModel => UInt128.Zero;

    /// <summary>The salt of adapters acting together.</summary>
    /// <param name="owner">Who may find the pages: only requests with the same. Empty for everybody without one.</param>
    /// <param name="adapters">In order: digest, weight, and the first position that each acts on.</param>
    public static UInt128 Of(string owner, IEnumerable<(string Digest, float Weight, int ActiveFrom)> adapters)
    {
        var key = new StringBuilder();
        if (owner.Length > 0)
        {
            // The length ends the name, whatever characters it has.
            key.Append(CultureInfo.InvariantCulture, $"{owner.Length}:{owner};");
        }

        foreach ((string digest, float weight, int activeFrom) in adapters)
        {
            key.Append(CultureInfo.InvariantCulture, $"{digest}:{BitConverter.SingleToInt32Bits(weight)}:{activeFrom};");
        }

        return key.Length == 0
            ? BaseModel
            : System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(key.ToString())));
    }
}
