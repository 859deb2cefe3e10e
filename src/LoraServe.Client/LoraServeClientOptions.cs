using System.Net.Security;

namespace LoraServe.Client;

/// <summary>How a <see cref="LoraServeClient"/> reaches its server.</summary>
public sealed class LoraServeClientOptions
{
    /// <summary>The access key, sent with every call; null where the server wants none.</summary>
    public string? Key { get; set; }

    /// <summary>Decides about the server's certificate; null for the system's rules.</summary>
    public RemoteCertificateValidationCallback? CertificateValidation { get; set; }

    /// <summary>Greatest message taken, in bytes; embeddings of many texts are large.</summary>
    /// <value>64 MiB by default.</value>
    public int MaxReceiveMessageBytes { get; set; } = 64 << 20;
}
