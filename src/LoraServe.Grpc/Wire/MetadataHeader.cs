using Grpc.Core;

namespace LoraServe.Grpc.Wire;

/// <summary>Metadata entries as HTTP header values: text as it is, bytes as base64.</summary>
internal static class MetadataHeader
{
    /// <summary>Whether a header belongs to HTTP or to the protocol, so that it is no metadata in either direction.</summary>
    public static bool IsReserved(string name) =>
        name.StartsWith(':')
        || (name.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase) && name.ToLowerInvariant() is not (GrpcProtocol.StatusDetailsHeader or GrpcProtocol.RetryPushbackHeader))
        || name.ToLowerInvariant() is "content-type" or "content-length" or "te" or "host" or "connection" or "transfer-encoding" or "accept-encoding" or "upgrade";

    public static string Format(Metadata.Entry entry) =>
        entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes).TrimEnd('=') : entry.Value;

    /// <summary>Adds what a peer sent under a name; a binary header may hold several values between commas.</summary>
    /// <exception cref="RpcException">INTERNAL: a binary header is not base64.</exception>
    public static void AddReceived(Metadata metadata, string name, string value)
    {
        string key = name.ToLowerInvariant();
        if (!key.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal))
        {
            metadata.Add(Metadata.Entry.Received(key, value));
            return;
        }

        foreach (Range part in value.AsSpan().Split(','))
        {
            metadata.Add(Metadata.Entry.Received(key, Decode(key, value.AsSpan()[part].Trim())));
        }
    }

    private static byte[] Decode(string key, ReadOnlySpan<char> text)
    {
        // Padding is optional on the wire and required by the decoder.
        ReadOnlySpan<char> bare = text.TrimEnd('=');
        Span<char> padded = new char[(bare.Length + 3) / 4 * 4];
        bare.CopyTo(padded);
        padded[bare.Length..].Fill('=');
        byte[] bytes = new byte[padded.Length / 4 * 3];
        return bare.Length % 4 != 1 && Convert.TryFromBase64Chars(padded, bytes, out int written)
            ? bytes[..written]
            : throw GrpcProtocol.Error(StatusCode.Internal, $"The metadata '{key}' is not base64.");
    }
}
