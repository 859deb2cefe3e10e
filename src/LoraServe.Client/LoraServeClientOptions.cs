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

    /// <summary>
    /// How often a call is tried that ends with UNAVAILABLE or RESOURCE_EXHAUSTED before anything of its answer has come; 1 never tries again.
    /// A call that would do something twice is tried again only where the server says that its queue is full.
    /// </summary>
    /// <value>4 by default.</value>
    public int MaxAttempts { get; set; } = 4;

    /// <summary>How long it waits, up to chance, before the second attempt; twice as long before each further one. When the server says when to come back, that counts instead.</summary>
    /// <value>Half a second by default.</value>
    public TimeSpan RetryBackoff { get; set; } = TimeSpan.FromSeconds(0.5);
}
