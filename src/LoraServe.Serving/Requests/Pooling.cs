namespace LoraServe.Serving.Requests;

/// <summary>How a text's hidden states become one vector.</summary>
public enum Pooling
{
    /// <summary>The last token's.</summary>
    Last,

    /// <summary>The mean over all tokens.</summary>
    Mean,
}
