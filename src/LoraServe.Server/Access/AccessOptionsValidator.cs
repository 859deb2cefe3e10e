namespace LoraServe.Server.Access;

/// <summary>Checks the keys at start and reports everything that is wrong with them at once.</summary>
internal static class AccessOptionsValidator
{
    private const int DigestLength = 64;

    /// <summary>One sentence for each thing that is wrong.</summary>
    public static IReadOnlyList<string> Errors(AccessOptions options)
    {
        var errors = new List<string>();
        for (int i = 0; i < options.Keys.Count; i++)
        {
            AccessKey key = options.Keys[i];
            if (key.Sha256.Length != DigestLength || !key.Sha256.All(char.IsAsciiHexDigit))
            {
                errors.Add($"LoraServe:Access:Keys:{i}:Sha256 must be 64 hexadecimal digits, the SHA-256 of the key; it has {key.Sha256.Length} characters.");
            }

            if (string.IsNullOrWhiteSpace(key.Tenant))
            {
                errors.Add($"LoraServe:Access:Keys:{i}:Tenant is empty; name who uses this key.");
            }
            else if (key.Tenant.Any(char.IsControl))
            {
                errors.Add($"LoraServe:Access:Keys:{i}:Tenant has a control character, such as the end of a line; write the name alone.");
            }
        }

        if (!Enum.IsDefined(options.Metrics))
        {
            errors.Add($"LoraServe:Access:Metrics is {options.Metrics}; it can be {string.Join(", ", Enum.GetNames<MetricsAccess>())}.");
        }

        errors.AddRange(options.Keys.GroupBy(key => key.Sha256, StringComparer.OrdinalIgnoreCase).Where(same => same.Count() > 1)
            .Select(same => $"LoraServe:Access:Keys has {same.Key} {same.Count()} times; each key belongs to one tenant."));
        return errors;
    }
}
