//! What members and admins type to the bot.
