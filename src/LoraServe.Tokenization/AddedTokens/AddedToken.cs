namespace LoraServe.Tokenization.AddedTokens;

/// <summary>A token that is found in a text before the model sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="IsSpecial">Control, not text: left out where special tokens are skipped.</param>
/// <param name="IsSingleWord">Found only where no word goes on at its ends.</param>
/// <param name="StripsLeft">Takes the white space before it along.</param>
/// <param name="StripsRight">Takes the white space after it along.</param>
/// <param name="IsNormalized">Searched for in the normalized text, itself normalized.</param>
internal sealed record AddedToken(
    int Id,
    string Content,
    bool IsSpecial = false,
    bool IsSingleWord = false,
    bool StripsLeft = false,
    bool StripsRight = false,
    bool IsNormalized = false);
