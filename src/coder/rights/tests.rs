use super::*;

const ALL: Rights = Rights {
    see_users: true,
    create_users: true,
    update_users: true,
    delete_users: true,
    see_workspaces: true,
    stop_workspaces: true,
    delete_workspaces: true,
    set_passwords: None,
    delete_keys: false,
    clock_ahead: None,
};

#[test]
fn a_missing_right_is_named_with_the_role_that_contains_it() {
    assert_eq!(ALL.missing(), None);
    let user_admin = Rights {
        see_workspaces: false,
        stop_workspaces: false,
        delete_workspaces: false,
        ..ALL
    };
    let organization_admin = Rights {
        see_users: false,
        create_users: false,
        update_users: false,
        delete_users: false,
        ..ALL
    };
    let member = Rights {
        see_workspaces: false,
        stop_workspaces: false,
        delete_workspaces: false,
        ..organization_admin
    };
    let template_admin = Rights {
        see_users: true,
        see_workspaces: true,
        ..member
    };
    let no_builds = Rights {
        delete_workspaces: false,
        ..ALL
    };
    for (rights, words) in [
        (
            no_builds,
            "the token (CODER_API_KEY) may not delete workspaces of others: accounts that have workspaces are not removed; give the token's user the role Organization Admin of the default organization",
        ),
        (
            user_admin,
            "the token (CODER_API_KEY) may not see, stop or delete workspaces of others: no accounts are removed; give the token's user the role Organization Admin of the default organization",
        ),
        (
            organization_admin,
            "the token (CODER_API_KEY) may not see, create, suspend or delete users: no accounts are created or removed; give the token's user the role User Admin",
        ),
        (
            member,
            "the token (CODER_API_KEY) may not see, create, suspend or delete users, nor see, stop or delete workspaces of others: no accounts are created or removed; give the token's user the roles User Admin, and Organization Admin of the default organization",
        ),
        (
            template_admin,
            "the token (CODER_API_KEY) may not create, suspend or delete users, nor stop or delete workspaces of others: no accounts are created or removed; give the token's user the roles User Admin, and Organization Admin of the default organization",
        ),
    ] {
        assert_eq!(rights.missing().unwrap().to_string(), words);
    }
}

#[test]
fn what_a_try_has_shown_counts_more_than_the_release() {
    let old = wire::release("v2.24.4");
    assert_eq!(can_set_passwords(false, None, Some(true)), Some(true));
    assert_eq!(can_set_passwords(false, None, Some(false)), Some(false));
    assert_eq!(can_set_passwords(false, old, Some(true)), Some(true));
    // The token's user has got the role since then.
    assert_eq!(can_set_passwords(true, old, Some(false)), Some(true));
}

#[test]
fn up_to_one_release_the_right_to_delete_keys_decides_about_passwords() {
    for (keys, version, expected) in [
        (true, "v2.24.4", Some(true)),
        (true, "v0.0.0-devel+3fa2", Some(true)),
        (false, "v2.24.4+5b7d9e0", Some(false)),
        (false, "v2.35.1", Some(false)),
        (false, "v2.35.2", None),
        (false, "v2.36.0", None),
        (false, "v2.35.1-devel+3fa2", None),
        (false, "v0.0.0-devel", None),
        (false, "", None),
    ] {
        assert_eq!(
            can_set_passwords(keys, wire::release(version), None),
            expected,
            "{keys} {version}"
        );
    }
}
