namespace LoraServe.Serving.Store.Residency;

/// <summary>What <see cref="ResidencyPolicy"/> knows of an adapter.</summary>
/// <param name="Bytes">Resident: what comes back at least when it goes. Asked for: what it takes now.</param>
/// <param name="IsUrgent">Whether its turn has come: it was pinned, or the request whose turn it is runs on it.</param>
/// <param name="IsPinned">Whether it must stay.</param>
/// <param name="IsLeased">Whether requests run on it.</param>
/// <param name="IsWanted">Whether requests run on it or wait for it.</param>
/// <param name="IsDraining">Whether it takes no new requests.</param>
internal readonly record struct ResidencyEntry(long Bytes, bool IsUrgent, bool IsPinned, bool IsLeased, bool IsWanted, bool IsDraining)
{
    /// <summary>Whether it stays whatever others need.</summary>
    public bool Stays => IsUrgent || IsPinned;

    /// <summary>Whether it goes as soon as another needs its room.</summary>
    public bool IsIdle => !Stays && !IsWanted;
}
